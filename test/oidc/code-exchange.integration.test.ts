/** Attacks on authorization codes. Every one of them ends with invalid_grant, and none with tokens. */
import { decodeJwt } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { postToken } from '../helpers/user-agent.ts';
import { type Answer, exchange, type Person, refresh, requestOf, signUp, suspend, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();

let person: Person;
beforeAll(async () => {
  person = await signUp(gatehouse);
});

async function expectRefused(sent: ReturnType<typeof exchange>, error = 'invalid_grant'): Promise<void> {
  const { status, body, headers } = await sent;
  expect(body).toEqual({ error, error_description: expect.any(String) });
  expect(status).toBe(error === 'invalid_client' ? 401 : 400);
  expect(headers.get('cache-control')).toBe('no-store');
}

/** The code itself is still good after an attack that had something wrong. */
async function expectGood(answer: Answer, kind: 'spa' | 'reg' = 'spa', changes = {}): Promise<void> {
  expect((await exchange(gatehouse, answer, kind, changes)).status).toBe(200);
}

test('a code works once: a second use is refused and ends everything that the first one brought', async () => {
  const answer = await person.authorize();
  const { body } = await exchange(gatehouse, answer);
  const { body: refreshed } = await refresh(gatehouse, body['refresh_token']);
  await expectRefused(exchange(gatehouse, answer));
  await expectRefused(refresh(gatehouse, refreshed['refresh_token']));
  await expectRefused(refresh(gatehouse, body['refresh_token']));
  await expectRefused(exchange(gatehouse, answer));
});

test('of twenty uses at once exactly one succeeds, and the family does not survive the other nineteen', async () => {
  const answer = await person.authorize();
  const results = await Promise.all(Array.from({ length: 20 }, () => exchange(gatehouse, answer)));
  const won = results.filter(({ status }) => status === 200);
  expect(won).toHaveLength(1);
  for (const lost of results.filter(({ status }) => status !== 200)) expect(lost.body['error']).toBe('invalid_grant');
  await expectRefused(refresh(gatehouse, won[0]!.body['refresh_token']));
});

test('a replay of one code leaves the person’s other sign-ins alone', async () => {
  const [replayed, other] = [await person.authorize(), await person.authorize()];
  const { body } = await exchange(gatehouse, other);
  await exchange(gatehouse, replayed);
  await expectRefused(exchange(gatehouse, replayed));
  expect((await refresh(gatehouse, body['refresh_token'])).status).toBe(200);
});

test('a code lives a minute', async () => {
  const [inTime, late] = [await person.authorize(), await person.authorize()];
  gatehouse.advance(30);
  await expectGood(inTime);
  gatehouse.advance(31);
  await expectRefused(exchange(gatehouse, late));
});

test('a code is the client’s own', async () => {
  const answer = await person.authorize('spa');
  const { clientId, clientSecret } = gatehouse.application('reg');
  await expectRefused(exchange(gatehouse, answer, 'reg'));
  await expectRefused(exchange(gatehouse, answer, 'spa', { client_id: clientId, client_secret: clientSecret! }));
  await expectGood(answer);
});

test('a code is good at its own issuer only', async () => {
  const answer = await person.authorize();
  const { account } = gatehouse.quickstart;
  const form = {
    grant_type: 'authorization_code',
    client_id: account.applications[0]!.clientId,
    redirect_uri: answer.sent['redirect_uri']!,
    code: answer.code,
    code_verifier: answer.verifier,
  };
  await expectRefused(postToken(account.issuer, form));
  await expectRefused(postToken(account.issuer, { ...form, client_id: gatehouse.application('spa').clientId }), 'invalid_client');
  await expectGood(answer);
});

test.each([
  'http://localhost:8080',
  'http://localhost:8080/callback/x',
  'http://localhost:8080/Callback',
  'https://evil.test/callback',
  '',
])('the redirect URI is the one of the request, not %j', async (redirectUri) => {
  const answer = await person.authorize();
  await expectRefused(exchange(gatehouse, answer, 'spa', { redirect_uri: redirectUri }));
  await expectGood(answer);
});

test('the slash at the end that libraries trim or add makes no difference', async () => {
  await expectGood(await person.authorize(), 'spa', { redirect_uri: 'http://localhost:8080/callback/' });
  await expectGood(await person.authorize('spa', { redirect_uri: 'http://localhost:8080/callback/' }), 'spa', {
    redirect_uri: 'http://localhost:8080/callback',
  });
});

test.each(['spa', 'reg'] as const)('the verifier is the one behind the challenge, for %s alike', async (kind) => {
  const answer = await person.authorize(kind);
  const other = requestOf(gatehouse, kind);
  for (const verifier of [
    '',
    other.verifier,
    answer.verifier.slice(0, 42),
    `${answer.verifier}=`,
    answer.sent['code_challenge']!,
    answer.verifier.toLowerCase(),
    'é'.repeat(43),
    'x'.repeat(129),
  ])
    await expectRefused(exchange(gatehouse, answer, kind, { code_verifier: verifier }));
  await expectGood(answer, kind);
});

test('a verifier without a challenge gives away that somebody took the challenge off', async () => {
  const answer = await person.authorize('reg', { code_challenge: '', code_challenge_method: '' });
  await expectRefused(exchange(gatehouse, answer, 'reg'));
  await expectGood(answer, 'reg', { code_verifier: '' });
});

test('a code that never was is refused', async () => {
  const answer = await person.authorize();
  for (const code of ['x', 'x'.repeat(43), `${answer.code}x`, answer.code.slice(1), 'x'.repeat(50_000), '\0', "' OR 1=1 --"])
    await expectRefused(exchange(gatehouse, answer, 'spa', { code }));
  await expectRefused(exchange(gatehouse, answer, 'spa', { code: '' }), 'invalid_request');
  await expectGood(answer);
});

test('a code brings nothing once the person has signed out', async () => {
  const leaving = await signUp(gatehouse);
  const answer = await leaving.authorize();
  await leaving.agent.open(`${gatehouse.baseUrl}/logout`);
  await expectRefused(exchange(gatehouse, answer));
});

test('a code brings nothing once the person is suspended', async () => {
  const suspended = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, suspended.email);
  await suspend(gatehouse, { userId });
  await expectRefused(exchange(gatehouse, suspended.first));
});

test('a code holds nothing about its person', async () => {
  const answer = await person.authorize();
  expect(answer.code).toMatch(/^[\w-]{43,}$/);
  const { body } = await exchange(gatehouse, answer);
  expect(decodeJwt(body['access_token']).sub).toBe(await userIdOf(gatehouse, person.email));
});
