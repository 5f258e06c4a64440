import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { createContext } from '../../src/features/context.ts';
import { rotateSigningKey } from '../../src/features/signing-keys/service.ts';
import { startApp } from '../helpers/app.ts';

const gatehouse = startApp();

const DISCOVERY = '/.well-known/openid-configuration';
const KEYS = '/.well-known/jwks';

async function ask(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  const { hostname, port } = new URL(gatehouse.baseUrl);
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    httpRequest({ hostname, port, path, method, headers }, resolve).on('error', reject).end(),
  );
  let body = '';
  for await (const chunk of answer) body += chunk;
  return { status: answer.statusCode!, headers: answer.headers, body };
}

const lasting = ({ date, 'x-request-id': id, ...headers }: IncomingMessage['headers']) => headers;

test.each([DISCOVERY, KEYS, `/e/acme-dev${DISCOVERY}`])(
  '%s is answered again as it was the first time, each answer with a name of its own in the log',
  async (path) => {
    const [first, second, third] = [await ask(path), await ask(path), await ask(path)];
    expect(first.status).toBe(200);
    for (const again of [second, third]) {
      expect([again.status, again.body]).toEqual([200, first.body]);
      expect(lasting(again.headers)).toEqual(lasting(first.headers));
    }
    const ids = [first, second, third].map(({ headers }) => headers['x-request-id'] as string);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids)
      expect(gatehouse.logLines().filter(({ reqId }) => reqId === id)).toEqual([
        expect.objectContaining({ msg: 'request', method: 'GET', status: 200, route: path.replace('/e/acme-dev', '') }),
      ]);
  },
);

test('who has the answer is told so, who asks for its head alone gets that, and another method is no question for it', async () => {
  const { headers, body } = await ask(DISCOVERY);
  expect(await ask(DISCOVERY, { 'if-none-match': headers.etag! })).toMatchObject({ status: 304, body: '' });
  expect(await ask(DISCOVERY, {}, 'HEAD')).toMatchObject({ status: 200, body: '', headers: { 'content-length': String(body.length) } });
  expect((await ask(DISCOVERY, {}, 'OPTIONS')).status).toBe(204);
  expect((await ask(DISCOVERY, {}, 'POST')).status).toBe(404);
});

test('no other host and no other environment is answered in its place', async () => {
  await ask(DISCOVERY);
  expect((await ask(DISCOVERY, { host: 'elsewhere.test' })).status).toBe(404);
  expect((await ask(`/e/nothing-here${DISCOVERY}`)).status).toBe(404);
  expect((JSON.parse((await ask(`/e/acme-dev${DISCOVERY}`)).body) as { issuer: string }).issuer).toBe(`${gatehouse.baseUrl}/e/acme-dev`);
});

test('what changes is told from the next answer on', async () => {
  const { infrastructure } = gatehouse.app;
  const [discovery, keys] = [await ask(DISCOVERY), await ask(KEYS)];
  const { id: environmentId } = await infrastructure.database.prisma.environment.findFirstOrThrow({ where: { isPrimary: true } });
  await rotateSigningKey(createContext(infrastructure, { kind: 'system', name: 'test' }), {
    environmentId,
    algorithm: 'ES256',
    isCompromised: true,
  });
  await expect.poll(async () => (await ask(KEYS)).body).not.toBe(keys.body);
  expect((await ask(KEYS)).headers.etag).not.toBe(keys.headers.etag);
  expect(JSON.parse((await ask(DISCOVERY)).body) as object).toMatchObject({
    id_token_signing_alg_values_supported: expect.arrayContaining(['ES256']),
  });
  await infrastructure.database.prisma.environment.update({ where: { id: environmentId }, data: { allowDynamicRegistration: true } });
  await expect.poll(async () => (await ask(DISCOVERY)).body).toContain('registration_endpoint');
  expect(discovery.body).not.toContain('registration_endpoint');
});
