/** A name server (RFC 1035) on a port of this machine, which this process asks instead of the system's own until it is stopped. */
import { createSocket } from 'node:dgram';
import dns from 'node:dns';
import { once } from 'node:events';
import { isIP } from 'node:net';

const TYPES = { 4: 1, 6: 28 } as const;

/** The addresses of a name; undefined where the server stays silent. */
export type Answering = (name: string, family: 4 | 6) => readonly string[] | undefined;

export async function startNameServer(answer: Answering): Promise<{ stop(): void }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12);
    const family = query.readUInt16BE(end + 1) === TYPES[6] ? 6 : 4;
    const addresses = answer(nameIn(query.subarray(12, end)), family);
    if (addresses) socket.send(responseTo(query.subarray(0, end + 5), addresses), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const before = dns.getServers();
  dns.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    stop() {
      dns.setServers(before);
      socket.close();
    },
  };
}

function nameIn(labels: Buffer): string {
  const names: string[] = [];
  for (let at = 0; at < labels.length; at += labels[at]! + 1) names.push(labels.toString('latin1', at + 1, at + 1 + labels[at]!));
  return names.join('.').toLowerCase();
}

/** The question again, and after it each address as a record of the name that stands there. */
function responseTo(question: Buffer, addresses: readonly string[]): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180, 2); // An answer, without an error.
  head.writeUInt16BE(addresses.length, 6);
  head.fill(0, 8, 12);
  return Buffer.concat([head, ...addresses.map(recordOf)]);
}

function recordOf(address: string): Buffer {
  const bytes = isIP(address) === 4 ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
  const record = Buffer.from([0xc0, 12, 0, TYPES[bytes.length === 4 ? 4 : 6], 0, 1, 0, 0, 0, 0, 0, bytes.length]);
  return Buffer.concat([record, bytes]);
}

function ipv6Bytes(address: string): Buffer {
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [left = [], right = []] = groups.map((part) => part.split(':').filter(Boolean));
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
