/** Who may speak to the token endpoint, and what it makes of requests that are not as they should be. */
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { codeForm, exchange, type Person, refreshForm, signUp } from '../signin/person.ts';

const gatehouse = startApp();

let person: Person;
beforeAll(async () => {
  person = await signUp(gatehouse, { kind: 'reg' });
});

async function post(body: BodyInit | undefined, headers: Record<string, string> = {}) {
  const answer = await fetch(`${gatehouse.baseUrl}/oauth2/token`, { method: 'POST', headers, ...(body !== undefined && { body }) });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
}

async function expectError(answer: ReturnType<typeof post>, status: number, error: string): Promise<void> {
  const { headers, ...rest } = await answer;
  expect(rest).toEqual({ status, body: { error, error_description: expect.any(String) } });
  expect(headers.get('content-type')).toMatch(/^application\/json/);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
}

const basic = (id: string, secret: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` });
const form = (fields: Record<string, string>) => new URLSearchParams(fields);

test('a confidential client proves itself by its secret, in the body or in the header', async () => {
  const { clientId, clientSecret } = gatehouse.application('reg');
  expect((await exchange(gatehouse, await person.authorize(), 'reg')).status).toBe(200);
  const inHeader = async (headers: Record<string, string>, changes: Record<string, string> = {}) =>
    (await post(form(codeForm(gatehouse, await person.authorize(), 'reg', { client_id: '', client_secret: '', ...changes })), headers))
      .status;
  expect(await inHeader(basic(clientId, clientSecret!))).toBe(200);
  expect(await inHeader(basic(clientId, clientSecret!), { client_id: clientId })).toBe(200);
  expect(await inHeader({ authorization: basic(clientId, clientSecret!).authorization.replace('Basic', 'basic') })).toBe(200);
});

test('without the right secret there is nothing, whoever asks, in words that do not tell why', async () => {
  const { clientId, clientSecret } = gatehouse.application('reg');
  const answer = await person.authorize();
  const attack = (changes: Record<string, string>, headers = {}) => post(form(codeForm(gatehouse, answer, 'reg', changes)), headers);
  const attacks = [
    attack({ client_secret: '' }),
    attack({ client_secret: 'x'.repeat(48) }),
    attack({ client_secret: clientSecret!.slice(1) }),
    attack({ client_secret: `${clientSecret} ` }),
    attack({ client_secret: clientSecret!.toLowerCase() }),
    attack({ client_secret: 'x'.repeat(50_000) }),
    attack({ client_secret: gatehouse.application('m2m').clientSecret! }),
    attack({ client_id: '0'.repeat(32) }),
    attack({ client_id: 'x'.repeat(50_000) }),
    attack({ client_id: '\0' }),
    attack({ client_id: `${clientId}\0` }),
    attack({ client_id: clientId.toUpperCase() }),
    attack({ client_secret: '' }, basic(clientId, 'wrong')),
    attack({ client_secret: '' }, basic(clientId, '')),
    attack({ client_secret: '', client_id: '' }, basic('0'.repeat(32), clientSecret!)),
  ];
  for (const attempt of attacks) await expectError(attempt, 401, 'invalid_client');
  const words = new Set((await Promise.all(attacks)).map(({ body }) => body['error_description']));
  expect(words.size).toBe(1);
  for (const { headers } of await Promise.all(attacks)) expect(headers.get('www-authenticate')).toMatch(/^Basic /);
  expect((await exchange(gatehouse, answer, 'reg')).status).toBe(200);
});

test('no client at all is refused', async () => {
  await expectError(post(form({ grant_type: 'authorization_code', code: 'x' })), 401, 'invalid_client');
});

test.each(['Basic', 'Basic ', 'Basic !!!', 'Basic a b', 'Basic =', 'Basic ====', `Basic ${'A'.repeat(7)}`, 'Basic Og==', 'basic \u00ff'])(
  'the malformed header %j is refused, even with the right secret in the body',
  async (authorization) => {
    const { status, body } = await post(form(codeForm(gatehouse, await person.authorize(), 'reg')), { authorization });
    expect(['invalid_client', 'invalid_request']).toContain(body['error']);
    expect(body).not.toHaveProperty('access_token');
    expect([400, 401]).toContain(status);
  },
);

test('a client does not authenticate in two ways at once, nor as two clients', async () => {
  const { clientId, clientSecret } = gatehouse.application('reg');
  const fields = codeForm(gatehouse, await person.authorize(), 'reg');
  await expectError(post(form(fields), basic(clientId, clientSecret!)), 400, 'invalid_request');
  const other = { ...fields, client_secret: '', client_id: gatehouse.application('spa').clientId };
  await expectError(post(form(other), basic(clientId, clientSecret!)), 400, 'invalid_request');
});

test('a stray bearer token changes nothing', async () => {
  const fields = form(codeForm(gatehouse, await person.authorize(), 'reg'));
  expect((await post(fields, { authorization: 'Bearer stray' })).status).toBe(200);
});

test.each(['password', 'implicit', 'urn:ietf:params:oauth:grant-type:token-exchange', 'toString', '__proto__', 'AUTHORIZATION_CODE'])(
  'the grant type %s is not supported',
  async (grantType) => {
    const fields = codeForm(gatehouse, person.first, 'reg', { grant_type: grantType });
    await expectError(post(form(fields)), 400, 'unsupported_grant_type');
    await expectError(post(form({ ...fields, grant_type: grantType.repeat(1000) })), 400, 'unsupported_grant_type');
  },
);

test('no grant type is no request', async () => {
  await expectError(post(form(codeForm(gatehouse, person.first, 'reg', { grant_type: '' }))), 400, 'invalid_request');
  await expectError(post(''), 400, 'invalid_request');
  await expectError(post(undefined), 400, 'invalid_request');
});

test.each(['grant_type', 'client_id', 'client_secret', 'code', 'redirect_uri', 'code_verifier'])(
  '%s given twice is refused',
  async (name) => {
    const answer = await person.authorize();
    const fields = form(codeForm(gatehouse, answer, 'reg'));
    fields.append(name, fields.get(name)!);
    await expectError(post(fields), 400, 'invalid_request');
    expect((await exchange(gatehouse, answer, 'reg')).status).toBe(200);
  },
);

test('fields that are unknown are ignored, however often they come', async () => {
  const fields = form(codeForm(gatehouse, await person.authorize(), 'reg'));
  for (const name of ['unknown', 'unknown', '__proto__', 'constructor', 'hasOwnProperty']) fields.append(name, 'x'.repeat(1000));
  expect((await post(fields)).status).toBe(200);
});

test('only a form is read', async () => {
  const fields = codeForm(gatehouse, await person.authorize(), 'reg');
  const json = { 'content-type': 'application/json' };
  await expectError(post(JSON.stringify(fields), json), 400, 'invalid_request');
  await expectError(post('{"grant_type":', json), 400, 'invalid_request');
  await expectError(post('{"__proto__":{}}', json), 400, 'invalid_request');
  await expectError(post('[]', json), 400, 'invalid_request');
  await expectError(post(form(fields).toString(), { 'content-type': 'text/plain' }), 400, 'invalid_request');
  await expectError(post('<xml/>', { 'content-type': 'application/xml' }), 415, 'invalid_request');
  await expectError(post(form(fields).toString(), { 'content-type': 'application/x-www-form-urlencoded-not' }), 415, 'invalid_request');
  expect((await post(form(fields).toString(), { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' })).status).toBe(200);
});

test('a form in parts is a form too, as React Native sends it', async () => {
  const inParts = (fields: Record<string, string>) => {
    const parts = new FormData();
    for (const [name, value] of Object.entries(fields)) parts.set(name, value);
    return parts;
  };
  const own = await signUp(gatehouse);
  const { status, body } = await post(inParts({ ...codeForm(gatehouse, own.first), state: 'of the SDK' }));
  expect([status, body]).toEqual([200, expect.objectContaining({ access_token: expect.any(String), id_token: expect.any(String) })]);
  expect((await post(inParts(refreshForm(gatehouse, String(body['refresh_token']))))).status).toBe(200);
});

test('what is wrong with a form in parts is wrong as in any other', async () => {
  const fields = codeForm(gatehouse, await person.authorize(), 'reg');
  const parts = new FormData();
  for (const [name, value] of Object.entries(fields)) if (name !== 'code') parts.set(name, value);
  await expectError(post(parts), 400, 'invalid_request');
  parts.set('code', new Blob([fields.code]), 'code.txt');
  await expectError(post(parts), 400, 'invalid_request');
  parts.set('code', fields.code);
  parts.append('code', fields.code);
  await expectError(post(parts), 400, 'invalid_request');
  for (const name of ['__proto__', 'constructor']) parts.append(name, 'x');
  await expectError(post(parts), 400, 'invalid_request');
  parts.set('code', 'x'.repeat(2 * 1024 * 1024));
  await expectError(post(parts), 413, 'invalid_request');
  for (const type of ['multipart/form-data', 'multipart/form-data; boundary=none'])
    await expectError(post(form(fields).toString(), { 'content-type': type }), 400, 'invalid_request');
  expect((await post(form(fields))).status).toBe(200);
});

test('a body of two megabytes is not read', async () => {
  const fields = form(codeForm(gatehouse, person.first, 'reg', { code: 'x'.repeat(2 * 1024 * 1024) }));
  await expectError(post(fields), 413, 'invalid_request');
  await expectError(post('&'.repeat(2 * 1024 * 1024), { 'content-type': 'application/x-www-form-urlencoded' }), 413, 'invalid_request');
  const many = Array.from({ length: 5000 }, (_, index) => `a${index}=1`).join('&');
  await expectError(post(many, { 'content-type': 'application/x-www-form-urlencoded' }), 400, 'invalid_request');
});

test('parameters in the URL are no parameters', async () => {
  const fields = form(codeForm(gatehouse, await person.authorize(), 'reg'));
  const answer = await fetch(`${gatehouse.baseUrl}/oauth2/token?${fields}`, { method: 'POST' });
  expect([answer.status, ((await answer.json()) as Record<string, unknown>)['error']]).toEqual([400, 'invalid_request']);
  expect((await fetch(`${gatehouse.baseUrl}/oauth2/token?${fields}`)).status).toBe(404);
});
