/** What somebody else's URL may lead this server to, and what not. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ForbiddenAddressError, isPublicAddress, postToStranger } from '../../src/security/strangers.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function listen(listener: RequestListener, host = 'localhost'): Promise<{ url: URL; requests: () => number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    listener(request, response);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, host, done));
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
  'localhost',
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
  ['a mapped address', '[::ffff:127.0.0.1]'],
  ['the metadata service', '169.254.169.254'],
])('%s is not connected to', async (_what, host) => {
  const { url, requests } = await listen((_request, response) => response.end());
  url.hostname = host;
  await expect(postToStranger(url, message, { allowLoopback: false })).rejects.toThrow(ForbiddenAddressError);
  expect(requests()).toBe(0);
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

test('who does not answer within ten seconds has not answered', { timeout: 20_000 }, async () => {
  const { url } = await listen(() => {});
  const started = performance.now();
  await expect(postToStranger(url, message, { allowLoopback: true })).rejects.toThrow();
  expect(performance.now() - started).toBeGreaterThan(9_000);
});
