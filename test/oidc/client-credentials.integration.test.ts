/** Tokens for machines. */
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { postToken } from '../helpers/user-agent.ts';

const gatehouse = startApp();
const API = 'https://api.acme.test';

function ask(fields: Record<string, string>, type: 'm2m' | 'reg' | 'spa' | 'device' = 'm2m') {
  const { clientId, clientSecret = '' } = gatehouse.application(type);
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, audience: API, ...fields };
  return postToken(gatehouse.quickstart.issuer, form);
}

test('the token says which client it is, for which API, with which scopes, and names no person', async () => {
  const { status, body, headers } = await ask({});
  const { clientId } = gatehouse.application('m2m');
  expect(status).toBe(200);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(body).toEqual({
    access_token: expect.any(String),
    token_type: 'bearer',
    expires_in: 86_400,
    scope: 'read:invoices write:invoices',
  });
  const claims = decodeJwt(body['access_token']);
  expect(claims).toEqual({
    iss: gatehouse.baseUrl,
    aud: [API],
    azp: clientId,
    iat: expect.any(Number),
    exp: claims.iat! + 86_400,
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    gty: ['client_credentials'],
    scope: 'read:invoices write:invoices',
    scp: ['read:invoices', 'write:invoices'],
    v: '2',
  });
});

test('a client may ask for less than it holds, once or twice over; an empty wish is no wish', async () => {
  for (const [scope, expected] of [
    ['read:invoices', ['read:invoices']],
    ['write:invoices read:invoices write:invoices', ['write:invoices', 'read:invoices']],
    ['', ['read:invoices', 'write:invoices']],
  ] as const) {
    const { body } = await ask({ scope });
    expect(decodeJwt(body['access_token'])['scp']).toEqual(expected);
    expect(body['scope']).toBe(expected.join(' '));
  }
});

test.each<[string, Record<string, string>, string]>([
  ['no audience', { audience: '' }, 'invalid_request'],
  ['an audience that is not there', { audience: 'https://unknown.test' }, 'unauthorized_client'],
  ['one audience of two that is not there', { audience: `${API} https://unknown.test` }, 'unauthorized_client'],
  ['another spelling of an audience', { audience: `${API}/` }, 'unauthorized_client'],
  ['a scope that is not there', { scope: 'delete:invoices' }, 'invalid_scope'],
  ['one scope of two that is not there', { scope: 'read:invoices delete:invoices' }, 'invalid_scope'],
  ['a scope of another API', { scope: 'read:users' }, 'invalid_scope'],
  ['a person’s scope', { scope: 'openid' }, 'invalid_scope'],
])('%s is refused', async (_what, fields, error) => {
  const { status, body } = await ask(fields);
  expect([status, body]).toEqual([400, { error, error_description: expect.any(String) }]);
});

test('the management API goes by either of its names, and the token by one', async () => {
  const { managementAudience } = gatehouse.quickstart;
  for (const audience of [managementAudience, `${managementAudience}/v1`, `${managementAudience} ${managementAudience}/v1`]) {
    const { body } = await ask({ audience, scope: 'read:users' });
    expect(decodeJwt(body['access_token'])).toMatchObject({ aud: [managementAudience], scope: 'read:users' });
  }
});

test('a token for all of the management API fits into the 8 KB that proxies take in a header', async () => {
  const { body } = await ask({ audience: gatehouse.quickstart.managementAudience });
  expect(body['scope'].split(' ').length).toBeGreaterThan(150);
  expect(`Authorization: Bearer ${body['access_token']}`.length).toBeLessThan(8000);
});

test('a token may be for several APIs, named in one list or one by one', async () => {
  const { managementAudience } = gatehouse.quickstart;
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret! });
  for (const audience of [API, managementAudience]) form.append('audience', audience);
  const repeated = (await (await fetch(`${gatehouse.baseUrl}/oauth2/token`, { method: 'POST', body: form })).json()) as {
    access_token: string;
  };
  const listed = (await ask({ audience: `${API} ${managementAudience}` })).body['access_token'];
  for (const token of [repeated.access_token, listed]) expect(decodeJwt(token).aud).toEqual([API, managementAudience]);
});

test('a back-end application that may use an API may also use it for itself', async () => {
  const { body } = await ask({}, 'reg');
  expect(decodeJwt(body['access_token'])).toMatchObject({ aud: [API], azp: gatehouse.application('reg').clientId });
  expect((await ask({ audience: gatehouse.quickstart.managementAudience }, 'reg')).body['error']).toBe('unauthorized_client');
});

test.each(['spa', 'device'] as const)('a client without a secret (%s) gets no token for itself', async (type) => {
  const secrets: Record<string, string>[] = [
    {},
    { client_secret: 'x'.repeat(48) },
    { client_secret: gatehouse.application('m2m').clientSecret! },
  ];
  for (const fields of secrets) {
    const { status, body } = await ask(fields, type);
    expect([status, body['error']]).toEqual([400, 'unauthorized_client']);
  }
});

test('a machine uses no grant of people', async () => {
  const grants: Record<string, string>[] = [
    { grant_type: 'authorization_code', code: 'x' },
    { grant_type: 'refresh_token', refresh_token: 'x' },
  ];
  for (const grant of grants) expect((await ask(grant)).body['error']).toBe('unauthorized_client');
});

test('a client is known at its own issuer only', async () => {
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret!, audience: API };
  for (const path of ['/e/acme-dev', '/e/account']) {
    const { status, body } = await postToken(gatehouse.baseUrl + path, form);
    expect([status, body['error']]).toEqual([401, 'invalid_client']);
  }
});

test('what was taken from the client is in no later token', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const applicationId = `app_${gatehouse.application('reg').clientId}`;
  await prisma.applicationApi.updateMany({ where: { applicationId }, data: { scopes: ['read:invoices'] } });
  gatehouse.app.infrastructure.lookups.forget();
  expect((await ask({}, 'reg')).body['scope']).toBe('read:invoices');
  expect((await ask({ scope: 'write:invoices' }, 'reg')).body['error']).toBe('invalid_scope');
  await prisma.applicationApi.deleteMany({ where: { applicationId } });
  gatehouse.app.infrastructure.lookups.forget();
  expect((await ask({}, 'reg')).body['error']).toBe('unauthorized_client');
});
