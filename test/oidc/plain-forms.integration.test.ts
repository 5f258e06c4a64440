/** Forms of programs are answered ahead of the router, forms of browsers by it: nobody can tell by the answer. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { exchange, signUp } from '../signin/person.ts';

const gatehouse = startApp({ TRUST_PROXY: 'loopback', RATE_LIMIT_API: '40,999999999,999999999' });
const FORM = 'application/x-www-form-urlencoded';
const BROWSER = { cookie: 'theme=dark' };
let clients = 0;

interface Sent {
  readonly path?: string;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

afterEach(() => {
  vi.restoreAllMocks();
});

/** By hand, so that nothing is sent but what is said here. */
async function post({ path = '/oauth2/token', body, headers = {} }: Sent) {
  const { hostname, port } = new URL(gatehouse.baseUrl);
  const from = { 'x-forwarded-for': `198.51.100.${++clients}` };
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    httpRequest({ hostname, port, path, method: 'POST', headers: { 'content-type': FORM, ...length, ...from, ...headers } }, resolve)
      .on('error', reject)
      .end(body),
  );
  let text = '';
  for await (const part of answer.setEncoding('utf8')) text += part;
  const { date, 'x-request-id': id, 'content-length': bytes, ...others } = answer.headers;
  expect(Number(bytes)).toBe(Buffer.byteLength(text));
  return { status: answer.statusCode!, headers: others, text, id: id as string };
}

const form = (parameters: Record<string, string | undefined>) => new URLSearchParams(parameters as Record<string, string>).toString();
function machine(more: Record<string, string> = {}): Record<string, string | undefined> {
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const own = { client_id: clientId, client_secret: clientSecret, audience: 'https://api.acme.test' };
  return { grant_type: 'client_credentials', ...own, ...more };
}

/** Without what differs between two answers to the same question. */
function masked(text: string): unknown {
  if (!text.startsWith('{')) return text;
  const fresh = ['access_token', 'device_code', 'user_code', 'verification_uri_complete', 'qr_code'];
  return JSON.parse(text, (name, value) => (fresh.includes(name) ? `some ${name}` : value));
}

/** What the log says of the answer. */
function logged(id: string): unknown {
  const lines = gatehouse.logLines().filter((line) => Object.values(line).includes(id));
  return lines.map(({ level, msg, method, route, status, environmentId }) => ({ level, msg, method, route, status, environmentId }));
}

async function expectTheSame(sent: Sent): Promise<Awaited<ReturnType<typeof post>>> {
  const plain = await post(sent);
  const routed = await post({ ...sent, headers: { ...BROWSER, ...sent.headers } });
  expect([plain.status, plain.headers, masked(plain.text)]).toEqual([routed.status, routed.headers, masked(routed.text)]);
  await expect.poll(() => logged(routed.id)).not.toEqual([]);
  expect(logged(plain.id)).toEqual(logged(routed.id));
  return plain;
}

describe('the same answer has', () => {
  test.each<[string, () => Sent, number]>([
    ['a machine that asks for a token', () => ({ body: form(machine()) }), 200],
    ['one that says its charset', () => ({ body: form(machine()), headers: { 'content-type': `${FORM};charset=UTF-8` } }), 200],
    ['one at another environment', () => ({ path: '/e/acme-dev/oauth2/token', body: form(machine()) }), 401],
    ['one at an environment that there is not', () => ({ path: '/e/nowhere/oauth2/token', body: form(machine()) }), 404],
    ['one at an address with a query', () => ({ path: '/oauth2/token?a=b', body: form(machine()) }), 200],
    ['one at an address with a slash too many', () => ({ path: '/oauth2/token/', body: form(machine()) }), 404],
    ['one at a host that there is not', () => ({ body: form(machine()), headers: { host: 'evil.test' } }), 404],
    ['a wrong secret', () => ({ body: form(machine({ client_secret: 'wrong' })) }), 401],
    ['a parameter that is given twice', () => ({ body: `${form(machine())}&scope=a&scope=b` }), 400],
    ['letters of many bytes', () => ({ body: form(machine({ audience: 'https://ä.test/日本語' })) }), 400],
    ['an audience that is not encoded right', () => ({ body: `${form(machine({ audience: '' }))}&audience=%E0%A4%A` }), 400],
    ['nothing at all', () => ({ body: '' }), 400],
    ['a name that all objects have', () => ({ body: 'grant_type=constructor&__proto__=x&toString=y' }), 401],
    ['a form of more than 64 KB', () => ({ body: form(machine({ scope: 'x'.repeat(64 * 1024) })) }), 413],
    ['a body that is no form', () => ({ body: '{}', headers: { 'content-type': 'application/json' } }), 400],
    ['a proof that cannot be read', () => ({ body: form(machine()), headers: { dpop: 'x' } }), 400],
    [
      'a question about a token',
      () => ({ path: '/oauth2/introspect', body: form({ ...machine(), token: 'x', grant_type: undefined as never }) }),
      200,
    ],
    ['a revocation, which is answered with nothing', () => ({ path: '/oauth2/revoke', body: form({ ...machine(), token: 'x' }) }), 200],
    [
      'a device that wants to be connected',
      () => ({ path: '/oauth2/device/auth', body: form({ client_id: gatehouse.application('device').clientId }) }),
      200,
    ],
    ['a request that is pushed, and lacks all', () => ({ path: '/oauth2/par', body: form(machine()) }), 400],
  ])('%s', async (_what, sent, status) => {
    expect((await expectTheSame(sent())).status).toBe(status);
  });

  test('who meets a fault, and its insides are in the log alone', async () => {
    vi.spyOn(gatehouse.app.infrastructure.database, 'query').mockRejectedValue(new Error('column "secret" of /srv'));
    const { status, text } = await expectTheSame({
      body: form({ grant_type: 'refresh_token', refresh_token: 'x', client_id: '0'.repeat(32) }),
    });
    expect(status).toBe(500);
    expect(text).not.toMatch(/srv|column/);
  });

  test('who asks too often, before the form is read', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    const sent = (audience: string) => ({ body: form(machine({ audience })), headers });
    const answers = await Promise.all(Array.from({ length: 60 }, () => post(sent('x'))));
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(20);
    const { status, text } = await expectTheSame(sent('https://api.acme.test'));
    expect([status, text]).toEqual([429, expect.stringContaining('temporarily_unavailable')]);
  });
});

test('a page of an application’s own is kept its token in cookies, a program is given none', async () => {
  const person = await signUp(gatehouse);
  const { origin } = new URL(gatehouse.application('spa').callbackUrls[0]!);
  const { body: first } = await exchange(gatehouse, await person.authorize());
  const refresh = (token: string) =>
    form({ grant_type: 'refresh_token', refresh_token: token, client_id: gatehouse.application('spa').clientId });
  const program = await post({ body: refresh(first.refresh_token) });
  expect([program.status, program.headers['set-cookie']]).toEqual([200, undefined]);
  const { refresh_token } = JSON.parse(program.text) as { refresh_token: string };
  const page = await post({ body: refresh(refresh_token), headers: { origin } });
  expect(page.headers).toMatchObject({ 'access-control-allow-origin': origin, 'set-cookie': expect.any(Array) });
});

test('a form that is cut off is nobody’s, leaves a line in the log, and the next one is answered', async () => {
  const { hostname, port } = new URL(gatehouse.baseUrl);
  const headers = { 'content-type': FORM, 'content-length': '500' };
  const cut = httpRequest({ hostname, port, path: '/oauth2/token', method: 'POST', headers });
  cut.on('error', () => {});
  const lines = () => gatehouse.logLines().filter(({ route, status }) => route === '/oauth2/token' && status === 400).length;
  const before = lines();
  cut.write('grant_type=client_credentials&');
  await new Promise((resolve) => setTimeout(resolve, 100));
  cut.destroy();
  await expect.poll(lines).toBe(before + 1);
  expect((await post({ body: form(machine()) })).status).toBe(200);
});
