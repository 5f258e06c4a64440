/** What somebody else's URL may lead this server to, and what not. */
import { pbkdf2 } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, isIP, type Socket, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ForbiddenAddressError, getFromStranger, isPublicAddress, postToStranger } from '../../src/security/strangers.ts';
import { startNameServer } from '../helpers/name-server.ts';

const servers: Server[] = [];
const tcpServers: TcpServer[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of tcpServers.splice(0)) server.close();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function listen(listener: RequestListener, host = 'localhost', port = 0): Promise<{ url: URL; requests: () => number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    listener(request, response);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(port, host, done));
  return { url: new URL(`http://localhost:${(server.address() as AddressInfo).port}/`), requests: () => requests };
}

const message = { headers: { 'content-type': 'text/plain' }, body: 'hello' };

test.each([
  '127.0.0.1',
  '127.9.9.9',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:169.254.169.254',
  '64:ff9b::7f00:1',
  'fe80::1',
  'fc00::1',
  'fd00:ec2::254',
  'ff02::1',
  '2002:7f00:1::',
  '2001::1',
  '2001:db8::1',
  '192.0.0.8',
  '240.0.0.1',
  '::127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b:1::1',
  'fe80::1%eth0',
  '2606:4700:4700::1111%eth0',
  '3fff::1',
  'localhost',
  '',
])('%s is no public address', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'])(
  '%s is a public address',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  ['a name that resolves to this machine', 'localhost'],
  ['an address', '127.0.0.1'],
  ['an address written as a number', '2130706433'],
  ['an address in octal', '0177.0.0.1'],
  ['an address in short', '127.1'],
  ['an address in hexadecimal', '0x7f000001'],
  ['an address in parts of each kind', '0x7f.0.01'],
  ['an address with a dot at its end', '127.0.0.1.'],
  ['an address in wide digits', '１２７.０.０.１'],
  ['an address that is percent-encoded', '%31%32%37.0.0.1'],
  ['the address of any', '0'],
  ['a loopback address of IPv6', '[::1]'],
  ['a mapped address', '[::ffff:127.0.0.1]'],
  ['a mapped address in hexadecimal', '[::ffff:7f00:1]'],
  ['a compatible address', '[::127.0.0.1]'],
  ['an address behind a translator', '[64:ff9b::127.0.0.1]'],
  ['the metadata service', '169.254.169.254'],
])('%s is not connected to', async (_what, host) => {
  const { url, requests } = await listen((_request, response) => response.end());
  const stranger = new URL(`http://${host}:${url.port}/`);
  await expect(postToStranger(stranger, message, { allowLoopback: false })).rejects.toThrow(ForbiddenAddressError);
  expect(requests()).toBe(0);
});

const QUESTIONS = ['receiver.test 4', 'receiver.test 6'];

describe('a name', () => {
  let asked: string[] = [];
  let server: { stop(): void };
  afterEach(() => server.stop());

  /** Has names resolve to these addresses, one answer after the other and the last for ever. */
  async function resolveTo(...answers: readonly (readonly string[])[]): Promise<void> {
    asked = [];
    server = await startNameServer((name, family) => {
      const before = asked.filter((question) => question === `${name} ${family}`).length;
      asked.push(`${name} ${family}`);
      return answers[Math.min(before, answers.length - 1)]!.filter((address) => isIP(address) === family);
    });
  }

  test.each([
    ['this machine', ['127.0.0.1']],
    ['a private network', ['10.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['a mapped address', ['::ffff:127.0.0.1']],
    ['a mapped private address', ['::ffff:192.168.0.1']],
    ['a private network of IPv6', ['fd00::1']],
    ['an address of a link', ['fe80::1']],
    ['a public address and a private one', ['1.1.1.1', '127.0.0.1']],
    ['a private address and a public one', ['127.0.0.1', '1.1.1.1']],
  ])('that resolves to %s is not connected to', async (_what, addresses) => {
    const { url, requests } = await listen((_request, response) => response.end(), '127.0.0.1');
    url.hostname = 'receiver.test';
    await resolveTo(addresses);
    await expect(postToStranger(url, message, { allowLoopback: false })).rejects.toThrow(ForbiddenAddressError);
    expect([asked.toSorted(), requests()]).toEqual([QUESTIONS, 0]);
  });

  test('that resolves to another address after it was judged is connected to where it was judged', async () => {
    const judged = await listen((_request, response) => response.writeHead(201).end(), '127.0.0.2');
    const inside = await listen((_request, response) => response.end(), '127.0.0.3', Number(judged.url.port));
    judged.url.hostname = 'receiver.test';
    await resolveTo(['127.0.0.2'], ['127.0.0.3']);
    expect(await postToStranger(judged.url, message, { allowLoopback: true })).toBe(201);
    expect([asked.toSorted(), judged.requests(), inside.requests()]).toEqual([QUESTIONS, 1, 0]);
  });

  test('that nobody knows is not connected to', async () => {
    await resolveTo([]);
    await expect(postToStranger(new URL('http://nobody.test/'), message, { allowLoopback: true })).rejects.toThrow('no address');
  });

  test('whose name server is silent holds up nothing else, however many there are', async () => {
    asked = [];
    let isOver = false;
    server = await startNameServer((name) => void asked.push(name));
    const names = Array.from({ length: 16 }, (_, index) => `silent-${index}.test`);
    const posts = names.map((name) => postToStranger(new URL(`http://${name}/`), message, { allowLoopback: true }));
    void Promise.race(posts.map((post) => post.catch(() => {}))).then(() => (isOver = true));
    await vi.waitUntil(() => new Set(asked).size === names.length, 4000);
    await new Promise((done) => pbkdf2('password', 'salt', 1, 32, 'sha256', done));
    expect(isOver).toBe(false);
    for (const post of posts) await expect(post).rejects.toThrow('no address');
  });
});

test('this machine is a stranger to a server of a developer', async () => {
  let received = '';
  const { url } = await listen((request, response) => {
    request.on('data', (part) => (received += part));
    request.on('end', () => response.writeHead(204).end());
  });
  expect(await postToStranger(url, message, { allowLoopback: true })).toBe(204);
  expect(received).toBe('hello');
});

test('private networks stay out of reach even then', async () => {
  await expect(postToStranger(new URL('http://10.0.0.1/'), message, { allowLoopback: true })).rejects.toThrow(ForbiddenAddressError);
});

test('a redirect is not followed', async () => {
  const inside = await listen((_request, response) => response.end());
  const { url } = await listen((_request, response) => response.writeHead(307, { location: inside.url.href }).end());
  expect(await postToStranger(url, message, { allowLoopback: true })).toBe(307);
  expect(inside.requests()).toBe(0);
});

test('an answer without end is not waited for', async () => {
  const { url } = await listen((_request, response) => {
    response.writeHead(200);
    const pour = setInterval(() => response.write('x'.repeat(65_536)), 1);
    response.on('close', () => clearInterval(pour));
  });
  const started = performance.now();
  expect(await postToStranger(url, message, { allowLoopback: true })).toBe(200);
  expect(performance.now() - started).toBeLessThan(5000);
});

test('an answer that changes the protocol is none, and is not waited for', async () => {
  const { url } = await listenRaw((socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n');
  });
  const started = performance.now();
  await expect(postToStranger(url, message, { allowLoopback: true })).rejects.toThrow('without an answer');
  expect(performance.now() - started).toBeLessThan(5000);
});

test('a head without end is not read to its end', async () => {
  const { url } = await listenRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const pour = setInterval(() => socket.write(`x-more: ${'x'.repeat(4096)}\r\n`), 1);
    socket.on('close', () => clearInterval(pour));
  });
  await expect(postToStranger(url, message, { allowLoopback: true })).rejects.toThrow();
});

test('who has not answered within ten seconds is not waited for, whatever takes the time', { timeout: 20_000 }, async () => {
  const urls = [
    (await listenRaw(() => undefined)).url,
    (await listenRaw((socket) => drip(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'))).url,
    (await listenRaw((socket) => drip(socket, 'x'))).url,
  ];
  const slowBody = (await listenRaw((socket) => drip(socket, 'HTTP/1.1 200 OK\r\n\r\nx'))).url;
  const started = performance.now();
  const ends = [
    ...urls.map((url) => postToStranger(url, message, { allowLoopback: true })),
    getFromStranger(slowBody, 100_000, { allowLoopback: true }),
  ].map(async (answer) => {
    await expect(answer).rejects.toThrow();
    return performance.now() - started;
  });
  for (const milliseconds of await Promise.all(ends)) {
    expect(milliseconds).toBeGreaterThan(9_000);
    expect(milliseconds).toBeLessThan(12_000);
  }
});

/** Writes `text` every 200 milliseconds, after the beginning of an answer's head where the text is none itself. */
function drip(socket: Socket, text: string): void {
  if (!text.startsWith('HTTP')) socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
  const timer = setInterval(() => socket.write(text), 200);
  socket.on('close', () => clearInterval(timer));
}

/** A server that writes what it likes once it has been sent something. */
async function listenRaw(answer: (socket: Socket) => void): Promise<{ url: URL }> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
    sockets.push(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  tcpServers.push(server);
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`) };
}

test('what is read has a bound, is a 200, and comes from nowhere inside', async () => {
  const { url } = await listen((_request, response) => response.end('x'.repeat(1000)));
  expect(await getFromStranger(url, 1000, { allowLoopback: true })).toBe('x'.repeat(1000));
  await expect(getFromStranger(url, 999, { allowLoopback: true })).rejects.toThrow('too long');
  await expect(getFromStranger(url, 1000, { allowLoopback: false })).rejects.toThrow(ForbiddenAddressError);
  await expect(getFromStranger(url, 1000, { allowLoopback: true, type: /json/ })).rejects.toThrow('another type');
  const inside = await listen((_request, response) => response.end());
  const redirecting = await listen((_request, response) => response.writeHead(302, { location: inside.url.href }).end());
  await expect(getFromStranger(redirecting.url, 1000, { allowLoopback: true })).rejects.toThrow('302');
  expect(inside.requests()).toBe(0);
});

test('what is read without end is not read on', async () => {
  const { url } = await listen((_request, response) => {
    const pour = setInterval(() => response.write('x'.repeat(65_536)), 1);
    response.on('close', () => clearInterval(pour));
  });
  await expect(getFromStranger(url, 100_000, { allowLoopback: true })).rejects.toThrow('too long');
});
