/** The load's own HTTP client: what it takes for an answer is all of it, however it comes. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Connection } from '../../bench/connection.ts';

const REQUEST = { method: 'POST', path: '/a', headers: { accept: 'text/plain' }, body: 'größer' };

/** A connection to a server that treats each request by `answer`; also all that the server was sent. */
async function connected(answer: (socket: Socket) => void) {
  const received: string[] = [];
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      received.push(chunk.toString());
      answer(socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const connection = await Connection.open(`http://127.0.0.1:${port}`);
  onTestFinished(() => {
    connection.close();
    server.close();
  });
  return { connection, received, port };
}

/** Sends the pieces in packets of their own. */
function inPieces(socket: Socket, pieces: readonly string[]): void {
  for (const [index, piece] of pieces.entries()) setTimeout(() => socket.write(piece), index * 20);
}

test('sends the request with its host and length', async () => {
  const { connection, received, port } = await connected((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  await connection.send(REQUEST);
  expect(received).toEqual([`POST /a HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/plain\r\ncontent-length: 8\r\n\r\ngrößer`]);
  await connection.send({ ...REQUEST, headers: { host: 'another.example' }, body: '' });
  expect(received[1]).toBe('POST /a HTTP/1.1\r\nhost: another.example\r\n\r\n');
});

test.each([
  ['of a known length', ['HTTP/1.1 404 Not Found\r\nCONTENT-LENGTH: 10\r', '\n\r\nnot ', 'there.']],
  ['in chunks', ['HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n4\r\nnot \r\n', '6\r\nthe', 're.\r\n0\r\n', '\r\n']],
])('takes an answer %s, one after the other', async (_how, pieces) => {
  const { connection } = await connected((socket) => inPieces(socket, pieces));
  for (let time = 0; time < 2; time++) {
    const { status, body } = await connection.send(REQUEST);
    expect({ status, body: body.toString() }).toEqual({ status: 404, body: 'not there.' });
  }
});

test.each([
  ['ends the connection', (socket: Socket) => socket.destroy(), 'The server closed the connection.'],
  ['does not say how long it is', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nall'), 'An answer of unknown length'],
])('fails where a server %s', async (_how, answer, message) => {
  const { connection } = await connected((socket) => void answer(socket));
  await expect(connection.send(REQUEST)).rejects.toThrow(message);
});
