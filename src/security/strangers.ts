/**
 * Requests to addresses that somebody else has chosen. They must not lead to what only this server can reach: each
 * address that a name resolves to is judged, and the connection goes to an address that was judged, so that a name
 * cannot change its mind in between. Redirects are not followed, and of an answer no more is read than was bargained for.
 */
import dns, { type LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, connect, isIP, type LookupFunction, type Socket } from 'node:net';

// biome-ignore format: a table
const NOT_PUBLIC_IPV4: readonly [network: string, prefix: number][] = [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12],
  ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24],
  ['203.0.113.0', 24], ['224.0.0.0', 3],
];

/** Within 2000::/3: the rest is not public at all. */
// biome-ignore format: a table
const NOT_PUBLIC_IPV6: readonly [network: string, prefix: number][] = [['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['3fff::', 20]];

const notPublic = new BlockList();
for (const [network, prefix] of NOT_PUBLIC_IPV4) notPublic.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of NOT_PUBLIC_IPV6) notPublic.addSubnet(network, prefix, 'ipv6');
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Is the IP address one that anybody on the internet could be at? One that names a network interface is not. */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%')) return false;
  if (isIP(address) === 4) return !notPublic.check(address, 'ipv4');
  return isIP(address) === 6 && globalUnicast.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
}

export function isLoopbackAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !address.includes('%') && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

export interface StrangerOptions {
  /** For servers of developers: this machine is a stranger too. */
  readonly allowLoopback: boolean;
  /** Each `host:port` that is no stranger, wherever it is. */
  readonly trustedHosts?: readonly string[];
}

/** The IP address that a URL names itself, without a name to resolve; undefined for one with a name. */
export function addressIn({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) ? bare : undefined;
}

export function isAllowed(address: string, { allowLoopback }: StrangerOptions): boolean {
  return isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address));
}

/** Thrown instead of connecting. */
export class ForbiddenAddressError extends Error {
  constructor() {
    super('The address is not one of the public internet.');
    this.name = 'ForbiddenAddressError';
  }
}

const TIMEOUT_MS = 10_000;

/** What is wrong with a URL that somebody chose for us to ask; undefined when it may be asked.
 * It is a secure one, unless it leads to this machine and may. */
export function problemOfStrangerUrl(text: string, options: StrangerOptions): string | undefined {
  if (text.length > 2000 || !URL.canParse(text)) return 'This is not a URL.';
  const url = new URL(text);
  const address = addressIn(url);
  const isHere = options.allowLoopback && (url.hostname === 'localhost' || (address !== undefined && isLoopbackAddress(address)));
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHere)) return 'The URL must begin with https://.';
  if (url.username || url.password || url.hash) return 'The URL must have no user name, no password and no fragment.';
  return address && !isAllowed(address, options) ? 'The URL’s address is not a public one.' : undefined;
}

/** What is posted. */
interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function posting({ headers, body }: Message) {
  return { method: 'POST', headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) }, body } as const;
}

/** Posts to a stranger and answers with the status of what comes back, whose body is not read.
 * @throws ForbiddenAddressError when the URL leads where it must not
 * @throws Error when no answer came within ten seconds */
export function postToStranger(url: URL, message: Message, options: StrangerOptions): Promise<number> {
  return askStranger(url, posting(message), options, async (response) => response.statusCode ?? 0);
}

/** Posts to a stranger and reads what comes back, at most `maxBytes` of it.
 * @throws ForbiddenAddressError when the URL leads where it must not
 * @throws Error when the answer is not a 200, is longer, or did not end within ten seconds */
export function askStrangerByPost(url: URL, message: Message, maxBytes: number, options: StrangerOptions): Promise<string> {
  return askStranger(url, posting(message), options, (response) => textOf(response, maxBytes));
}

/** Reads what a stranger answers with, at most `maxBytes` of it, of a media type that matches `type` where one is asked for.
 * @throws ForbiddenAddressError when the URL leads where it must not
 * @throws Error when the answer is not a 200, is longer, of another type, or did not end within ten seconds */
export function getFromStranger(
  url: URL,
  maxBytes: number,
  { type, ...options }: StrangerOptions & { readonly type?: RegExp },
): Promise<string> {
  return askStranger(url, { method: 'GET', headers: { accept: 'application/json' } }, options, (response) =>
    textOf(response, maxBytes, type),
  );
}

async function textOf(response: IncomingMessage, maxBytes: number, type?: RegExp): Promise<string> {
  if (response.statusCode !== 200) throw new Error(`The answer was ${response.statusCode}.`);
  if (type && !type.test(response.headers['content-type'] ?? '')) throw new Error('The answer is of another type.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error('The answer is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Opens a connection to a stranger's port.
 * @throws ForbiddenAddressError when the host is where it must not be
 * @throws Error when there is no connection within ten seconds */
export function connectToStranger(host: string, port: number, options: StrangerOptions): Promise<Socket> {
  const isTrusted = options.trustedHosts?.includes(`${host.toLowerCase()}:${port}`);
  if (!isTrusted && isIP(host) && !isAllowed(host, options)) return Promise.reject(new ForbiddenAddressError());
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...(!isTrusted && { lookup: judging(options) }) });
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(TIMEOUT_MS, () => fail(new Error('There was no connection in time.')));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0).removeAllListeners('timeout').removeListener('error', fail);
      resolve(socket);
    });
  });
}

/** Resolves names to addresses that may be asked. */
function judging(options: StrangerOptions): LookupFunction {
  return (hostname, { all }, done) => {
    addressesOf(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first || addresses.some(({ address }) => !isAllowed(address, options))) done(new ForbiddenAddressError(), '');
        else if (all) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: Error) => done(error, ''),
    );
  };
}

/**
 * What DNS knows a name by, and nothing else does. The system's own way would hold one of the few threads that sign tokens
 * and verify passwords for as long as a stranger's name server is silent.
 * @throws Error when DNS does not answer, or not with an address
 */
async function addressesOf(hostname: string): Promise<LookupAddress[]> {
  if (hostname === 'localhost') return ['127.0.0.1', '::1'].map((address) => ({ address, family: isIP(address) }));
  const resolver = new Resolver({ timeout: 1500, tries: 2 });
  resolver.setServers(dns.getServers());
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length === 0) throw new Error(`There is no address of ${hostname}.`);
  return addresses.map((address) => ({ address, family: isIP(address) }));
}

function askStranger<Answer>(
  url: URL,
  { body, ...message }: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body?: string },
  options: StrangerOptions,
  read: (response: IncomingMessage) => Promise<Answer>,
): Promise<Answer> {
  const literal = addressIn(url);
  if (literal && !isAllowed(literal, options)) return Promise.reject(new ForbiddenAddressError());
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(
      url,
      { ...message, agent: false, lookup: judging(options), signal: AbortSignal.timeout(TIMEOUT_MS) },
      (response) => {
        isAnswered = true;
        read(response)
          .then(resolve, reject)
          .finally(() => request.destroy());
      },
    );
    request.on('error', reject);
    // There is no error when the answer is no answer but another protocol.
    request.on('close', () => isAnswered || reject(new Error('The connection was closed without an answer.')));
    request.end(body);
  });
}
