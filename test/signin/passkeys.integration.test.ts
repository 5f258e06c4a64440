/** Passkeys over plain HTTP: who is offered one and who must make one, and that no forged, replayed or foreign answer signs in. */
import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import { beforeEach, expect, test } from 'vitest';
import { deletePasskey, deviceName, resetPasskeyPrompt } from '../../src/features/passkeys/service.ts';
import { deleteUser } from '../../src/features/users/removal.ts';
import { operator } from '../graphql/world.ts';
import { startApp } from '../helpers/app.ts';
import { authenticator, type Ceremony, type Credential, ceremonyOf, type Lie } from '../helpers/authenticator.ts';
import { authorizationUrl, type PageView, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  exchange,
  headingOf,
  isSignedIn,
  newAddress,
  organization,
  PASSWORD,
  problemOf,
  productionEnvironment,
  requestOf,
  signIn,
  signUp,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
const rows = () => gatehouse.app.infrastructure.database.prisma;
const production = () => productionEnvironment(gatehouse);

async function setPolicy(passkeyPolicy: 'off' | 'optional' | 'mandatory', more: object = {}): Promise<void> {
  await rows().environment.updateMany({ data: { passkeyPolicy, isPasskeyMultiFactor: false, ...more } });
  gatehouse.app.infrastructure.lookups.forget();
}
beforeEach(() => setPolicy('optional'));

/** Somebody with a password who has not heard of passkeys. */
async function someone(): Promise<{ email: string; userId: string }> {
  await setPolicy('off');
  const { email } = await signUp(gatehouse);
  await setPolicy('optional');
  return { email, userId: await userIdOf(gatehouse, email) };
}

/** Somebody with a passkey. */
async function holder(kind?: { isSyncable: boolean }) {
  const person = await someone();
  const { agent, page } = await signIn(gatehouse, person.email);
  const { credential, answer } = authenticator(gatehouse.baseUrl, kind).create(ceremonyOf(page.html));
  const done = await agent.submit(page, 'passkey', { p_passkey: answer });
  expect(isSignedIn(done)).toBe(true);
  return { ...person, credential, passkey: () => rows().passkey.findFirst({ where: { userId: person.userId } }) };
}

/** The first page, in a browser of its own. */
async function firstPage(parameters: Record<string, string> = {}, agent: UserAgent = userAgent(gatehouse.baseUrl)) {
  const request = requestOf(gatehouse, 'spa', parameters);
  return { agent, request, page: await agent.open(request.url) };
}

async function present(credential: Credential, lie: Lie = {}, parameters: Record<string, string> = {}) {
  const first = await firstPage(parameters);
  const page = await first.agent.submit(first.page, 'passkey', { p_passkey: credential.sign(ceremonyOf(first.page.html), lie) });
  return { ...first, page };
}

const hasButton = (page: PageView) => page.html.includes('Sign in with a passkey');
const OFFER = 'Sign in faster next time';

test('where passkeys are off there is no button, no offer, and those that were made are not taken', async () => {
  const { credential, email } = await holder();
  const asked = ceremonyOf((await firstPage()).page.html);
  await setPolicy('off');
  const { agent, page } = await firstPage();
  expect(hasButton(page)).toBe(false);
  expect(page.headers.get('content-security-policy')).not.toContain('script-src');
  const [, id] = /\/signin\/([\w-]{24})/.exec(page.url)!;
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)![1]!;
  const posted = await agent.open(page.url).then(() =>
    agent.submit(
      { ...page, html: `<form method="post" action="/signin/${id}/passkey"><input type="hidden" name="csrf" value="${csrf}"></form>` },
      'passkey',
      {
        p_passkey: credential.sign(asked),
      },
    ),
  );
  expect(problemOf(posted)).toBe('Passkeys are not used here. Sign in another way.');
  expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
});

test('the button is on the page to sign in and not on the one to sign up; without JavaScript a sentence stands in its place', async () => {
  const { agent, page } = await firstPage();
  expect(page.html).toMatch(/<button class="choice" type="button" hidden>Sign in with a passkey<\/button>\s*<noscript>/);
  expect(page.headers.get('content-security-policy')).toMatch(/script-src 'nonce-[\w-]{22}';/);
  expect(page.html).toMatch(/<script src="\/assets\/passkey.js\?v=[\w-]{22}" type="module" nonce="[\w-]{22}" integrity="sha256-/);
  expect(hasButton(await agent.submit(page, 'switch'))).toBe(false);
  expect((await agent.open(`${gatehouse.baseUrl}/assets/passkey.js`)).headers.get('content-type')).toContain('text/javascript');
});

test('what a browser is asked for is the same whoever is meant: it tells of nobody’s passkey', async () => {
  const { email } = await holder();
  const asked = async (login_hint: string) => ({ ...ceremonyOf((await firstPage({ login_hint })).page.html), challenge: '' });
  expect(await asked(email)).toEqual(await asked(newAddress()));
  expect(await asked(email)).not.toHaveProperty('allowCredentials.0');
});

test('a passkey that was made after a sign-in signs in by itself, and its uses are counted', async () => {
  const { credential, passkey, userId } = await holder();
  expect(await passkey()).toMatchObject({ useCount: 0, lastUsedAt: null, isSyncable: false, transports: ['internal'] });
  const { page, request } = await present(credential);
  const { body } = await exchange(gatehouse, answerOf(page, request));
  expect(decodeJwt(body.id_token).sub).toBe(userId);
  expect(await passkey()).toMatchObject({ useCount: 1, lastUsedAt: expect.any(Date) });
  expect(await rows().session.findFirst({ where: { userId }, orderBy: { id: 'desc' } })).toMatchObject({ amr: ['hwk', 'user'] });
});

test('a passkey counts for a second factor only where the environment says so', async () => {
  const { credential, userId } = await holder({ isSyncable: true });
  await setPolicy('optional', { isPasskeyMultiFactor: true });
  expect(isSignedIn((await present(credential)).page)).toBe(true);
  expect(await rows().session.findFirst({ where: { userId }, orderBy: { id: 'desc' } })).toMatchObject({ amr: ['swk', 'user', 'mfa'] });
});

test('a hint at somebody else does not matter to a passkey', async () => {
  const [{ credential, userId }, other] = [await holder(), await someone()];
  const { page, request } = await present(credential, {}, { login_hint: other.email });
  expect(decodeJwt((await exchange(gatehouse, answerOf(page, request))).body.id_token).sub).toBe(userId);
});

test('prompt=login and max_age ask for the passkey again, and prompt=none is answered without', async () => {
  const { credential } = await holder();
  const { agent, page, request } = await present(credential);
  const before = decodeJwt((await exchange(gatehouse, answerOf(page, request))).body.id_token);
  gatehouse.advance(100);
  expect(isSignedIn((await firstPage({ prompt: 'none', max_age: '1000' }, agent)).page)).toBe(true);
  for (const parameters of [{ prompt: 'login' }, { max_age: '50' }] as Record<string, string>[]) {
    const again = await firstPage(parameters, agent);
    const done = await agent.submit(again.page, 'passkey', { p_passkey: credential.sign(ceremonyOf(again.page.html)) });
    const after = decodeJwt((await exchange(gatehouse, answerOf(done, again.request))).body.id_token);
    expect(Number(after['auth_time'])).toBeGreaterThanOrEqual(Number(before['auth_time']) + 100);
    gatehouse.advance(100);
  }
});

test('who says “Not now” is not asked again until an operator has it asked', async () => {
  const { email, userId } = await someone();
  const { agent, page } = await signIn(gatehouse, email);
  expect(headingOf(page)).toBe(OFFER);
  expect(isSignedIn(await agent.submit(page, 'later'))).toBe(true);
  expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
  await resetPasskeyPrompt(operator(gatehouse), { userId });
  expect(headingOf((await signIn(gatehouse, email)).page)).toBe(OFFER);
});

test('mandatory means mandatory: no “Not now”, and a session from before is not enough', async () => {
  const { email, userId } = await someone();
  const declined = await signIn(gatehouse, email);
  await declined.agent.submit(declined.page, 'later');
  await setPolicy('mandatory');
  const silent = await firstPage({ prompt: 'none' }, declined.agent);
  expect(new URL(silent.page.url).searchParams.get('error')).toBe('login_required');
  expect(headingOf((await firstPage({}, declined.agent)).page)).toBe('Sign in');

  const { agent, page } = await signIn(gatehouse, email);
  expect(headingOf(page)).toBe('Create your passkey');
  expect(page.html).not.toContain('/later"');
  expect(page.html).toContain('this browser cannot make one');
  const skipped = await agent.submit({ ...page, html: page.html.replaceAll('/passkey"', '/later"') }, 'later');
  expect(problemOf(skipped)).toBe('You need a passkey to go on.');
  const { credential, answer } = authenticator(gatehouse.baseUrl).create(ceremonyOf(skipped.html));
  expect(isSignedIn(await agent.submit(skipped, 'passkey', { p_passkey: answer }))).toBe(true);
  expect((await rows().user.findFirstOrThrow({ where: { id: userId } })).passkeyDeclinedAt).toBeNull();
  expect(isSignedIn((await present(credential)).page)).toBe(true);
  expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
});

test('an advanced organization has its own word: it may want passkeys, and it may take none', async () => {
  const [{ email, userId }, { credential, userId: holderId }] = [await someone(), await holder()];
  const org_code = await organization(gatehouse, 'Strict', { members: [userId, holderId] });
  const say = (passkeyPolicy: string | null, isAdvanced = true) =>
    rows().organization.updateMany({ where: { id: org_code }, data: { passkeyPolicy, isAdvanced } });
  await setPolicy('off');
  await say('mandatory');
  expect(hasButton((await firstPage()).page)).toBe(false);
  expect(hasButton((await firstPage({ org_code })).page)).toBe(true);
  expect(headingOf((await signIn(gatehouse, email, { parameters: { org_code } })).page)).toBe('Create your passkey');
  await say('mandatory', false);
  expect(isSignedIn((await signIn(gatehouse, email, { parameters: { org_code } })).page)).toBe(true);

  await setPolicy('optional');
  await say('off');
  const { agent, page: choice } = await present(credential);
  const page = await agent.submit(choice, 'organization', { p_organization: org_code });
  expect(headingOf(page)).toBe('Sign in another way');
  const again = await agent.submit(page, 'switch');
  expect(headingOf(again)).toBe('Sign in');
  await say(null);
  expect(isSignedIn((await present(credential, {}, { org_code })).page)).toBe(true);
});

const strangerKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const LIES: [string, (asked: Ceremony) => Lie][] = [
  ['another origin', () => ({ origin: 'https://localhost.evil.test' })],
  ['the same host at another port', () => ({ origin: 'http://localhost:1' })],
  ['another scheme', () => ({ origin: gatehouse.baseUrl.replace('http:', 'https:') })],
  ['another RP ID', () => ({ rpId: 'evil.test' })],
  ['an RP ID with the port', () => ({ rpId: new URL(gatehouse.baseUrl).host })],
  ['a challenge of its own', () => ({ challenge: Buffer.from('x'.repeat(32)).toString('base64url') })],
  ['no challenge', () => ({ challenge: '' })],
  ['the other ceremony', () => ({ type: 'webauthn.create' })],
  ['a person who was not verified', () => ({ isVerified: false })],
  ['another key', () => ({ key: strangerKey() })],
  ['another user', () => ({ userHandle: Buffer.alloc(32).toString('base64url') })],
  ['no user', () => ({ userHandle: '' })],
  ['a count that was there before', () => ({ counter: 1 })],
  ['a count that starts again', () => ({ counter: 0 })],
  ['a key that has become one for several devices', () => ({ isSyncable: true })],
];

test.each(LIES)('an answer with %s does not sign in, and counts as a failure', async (_what, lie) => {
  const { credential, userId, passkey } = await holder();
  expect(isSignedIn((await present(credential)).page)).toBe(true);
  const before = await passkey();
  const first = await firstPage();
  const asked = ceremonyOf(first.page.html);
  const page = await first.agent.submit(first.page, 'passkey', { p_passkey: credential.sign(asked, lie(asked)) });
  expect({ status: page.status, problem: problemOf(page) }).toEqual({ status: 422, problem: 'That did not work. Try again.' });
  expect(await rows().user.findFirst({ where: { id: userId } })).toMatchObject({ failedSignIns: 1 });
  expect(await passkey()).toEqual(before);
  // The page that says so has a challenge of its own.
  const { agent } = first;
  expect(ceremonyOf(page.html).challenge).not.toBe(asked.challenge);
  expect(isSignedIn(await agent.submit(page, 'passkey', { p_passkey: credential.sign(ceremonyOf(page.html)) }))).toBe(true);
});

test('failures with a passkey lock the account with all others', async () => {
  const { credential, email } = await holder();
  let { agent, page } = await firstPage();
  for (let times = 0; times < 5; times++)
    page = await agent.submit(page, 'passkey', { p_passkey: credential.sign(ceremonyOf(page.html), { origin: 'https://evil.test' }) });
  page = await agent.submit(page, 'passkey', { p_passkey: credential.sign(ceremonyOf(page.html)) });
  expect({ status: page.status, problem: problemOf(page) }).toMatchObject({ status: 429, problem: expect.stringContaining('locked') });
  expect(problemOf((await signIn(gatehouse, email)).page)).toContain('locked');
  gatehouse.advance(301);
  expect(isSignedIn((await present(credential)).page)).toBe(true);
});

test.each(['', 'x', '{}', 'null', '[]', '{"id":"a\\u0000","response":{"signature":"a"}}', '{"id":"aaaa","response":{"signature":"a"}}'])(
  'what is no answer at all, as %j, is refused',
  async (p_passkey) => {
    const { agent, page } = await firstPage();
    const next = await agent.submit(page, 'passkey', { p_passkey });
    expect(next.status).toBe(422);
    expect(problemOf(next)).toBeTruthy();
    const { agent: other, page: setup } = await signIn(gatehouse, (await someone()).email);
    const made = p_passkey.replaceAll('signature', 'attestationObject');
    expect((await other.submit(setup, 'passkey', { p_passkey: made })).status).toBe(422);
  },
);

test('one answer signs in once, however often and however parallel it is sent', async () => {
  // One that is kept on several devices, and counts nothing.
  const { credential, passkey } = await holder({ isSyncable: true });
  const { agent, page } = await firstPage();
  const p_passkey = credential.sign(ceremonyOf(page.html));
  const sent = await Promise.all(Array.from({ length: 8 }, () => agent.submit(page, 'passkey', { p_passkey })));
  expect(sent.filter(isSignedIn)).toHaveLength(1);
  expect(await passkey()).toMatchObject({ useCount: 1 });
  expect(isSignedIn(await agent.submit(page, 'passkey', { p_passkey }))).toBe(false);
  // Nor is it good once its challenge was answered wrongly.
  const next = await firstPage();
  const good = credential.sign(ceremonyOf(next.page.html));
  await next.agent.submit(next.page, 'passkey', { p_passkey: 'nonsense' });
  const late = await next.agent.submit(next.page, 'passkey', { p_passkey: good });
  expect(problemOf(late)).toBe('That did not work. Try again.');
});

test('an answer to another attempt’s challenge signs nobody in, though it is good there', async () => {
  const { credential } = await holder();
  const [mine, theirs] = [await firstPage(), await firstPage()];
  const p_passkey = credential.sign(ceremonyOf(theirs.page.html));
  expect(isSignedIn(await mine.agent.submit(mine.page, 'passkey', { p_passkey }))).toBe(false);
  const fresh = credential.sign(ceremonyOf(theirs.page.html));
  expect(isSignedIn(await theirs.agent.submit(theirs.page, 'passkey', { p_passkey: fresh }))).toBe(true);
});

test('two copies of one key with one count: only the first is let in', async () => {
  const { credential } = await holder();
  const pages = await Promise.all([firstPage(), firstPage()]);
  const sent = await Promise.all(
    pages.map(({ agent, page }) => agent.submit(page, 'passkey', { p_passkey: credential.sign(ceremonyOf(page.html), { counter: 7 }) })),
  );
  expect(sent.filter(isSignedIn)).toHaveLength(1);
});

test('a passkey of one environment opens no other at the same host, not even where its key is known', async () => {
  const { credential, passkey } = await holder();
  const { account } = gatehouse.quickstart;
  const [dashboard] = account.applications;
  const { url } = authorizationUrl({ issuer: account.issuer, clientId: dashboard!.clientId, redirectUri: dashboard!.callbackUrls[0]! });
  const attempt = async () => {
    const agent = userAgent(gatehouse.baseUrl);
    const page = await agent.open(url);
    expect(hasButton(page)).toBe(true);
    return agent.submit(page, 'passkey', { p_passkey: credential.sign(ceremonyOf(page.html)) });
  };
  expect(problemOf(await attempt())).toBe('This passkey does not belong to an account here. Sign in another way.');
  const user = await rows().user.findFirstOrThrow({ where: { environment: { kind: 'account' } } });
  const copy = { ...(await passkey())!, environmentId: user.environmentId, userId: user.id };
  await rows().passkey.create({ data: copy });
  expect(problemOf(await attempt())).toBe('That did not work. Try again.');
});

const MAKING: [string, Lie][] = [
  ['another origin', { origin: 'https://evil.test' }],
  ['another RP ID', { rpId: 'evil.test' }],
  ['another challenge', { challenge: Buffer.from('x'.repeat(32)).toString('base64url') }],
  ['the other ceremony', { type: 'webauthn.get' }],
  ['a person who was not verified', { isVerified: false }],
  ['a certificate that nobody asked for', { attestation: { fmt: 'packed', attStmt: new Map([['x5c', [new Uint8Array(9)]]]) as never } }],
  ['a format that holds certificates elsewhere', { attestation: { fmt: 'android-safetynet', attStmt: new Map() } }],
];

test.each(MAKING)('no passkey is made with %s', async (_what, lie) => {
  const { email, userId } = await someone();
  const { agent, page } = await signIn(gatehouse, email);
  const { answer } = authenticator(gatehouse.baseUrl).create(ceremonyOf(page.html), lie);
  const next = await agent.submit(page, 'passkey', { p_passkey: answer });
  expect({ status: next.status, problem: problemOf(next) }).toEqual({ status: 422, problem: 'That did not work. Try again.' });
  expect(await rows().passkey.count({ where: { userId } })).toBe(0);
});

test('one answer makes one passkey, however parallel; and none makes the key of another person one’s own', async () => {
  const { email, userId } = await someone();
  const { agent, page } = await signIn(gatehouse, email);
  const { answer } = authenticator(gatehouse.baseUrl).create(ceremonyOf(page.html));
  await Promise.all(Array.from({ length: 6 }, () => agent.submit(page, 'passkey', { p_passkey: answer })));
  expect(await rows().passkey.findMany({ where: { userId } })).toHaveLength(1);
  const events = await rows().auditEvent.findMany({ where: { action: 'passkey.added', details: { path: ['userId'], equals: userId } } });
  expect(events).toHaveLength(1);
});

test('a removed passkey, a suspended user’s and one of a user whose access was removed open nothing', async () => {
  const removed = await holder();
  await deletePasskey(operator(gatehouse), { passkeyId: (await removed.passkey())!.id });
  expect(problemOf((await present(removed.credential)).page)).toBe('This passkey does not belong to an account here. Sign in another way.');
  const without = await holder();
  await deleteUser(operator(gatehouse), { userId: without.userId, level: 'remove_access' });
  expect(problemOf((await present(without.credential)).page)).toBe('This passkey does not belong to an account here. Sign in another way.');
  const suspended = await holder();
  await rows().user.updateMany({ where: { id: suspended.userId }, data: { isSuspended: true } });
  const { page } = await present(suspended.credential);
  expect(page.status).toBe(403);
  expect(isSignedIn(page)).toBe(false);
});

test('a challenge is told to nobody in another browser', async () => {
  const { credential } = await holder();
  const { page } = await firstPage();
  const thief = userAgent(gatehouse.baseUrl);
  const p_passkey = credential.sign(ceremonyOf(page.html));
  const stolen = await thief.submit(page, 'passkey', { p_passkey });
  expect(stolen.status).toBe(403);
  expect(stolen.html).toContain('8809');
});

test('somebody who comes back with a password still gets in, and a new address signs up to the offer', async () => {
  const email = newAddress('fresh');
  const { environmentId } = await rows().application.findFirstOrThrow({ where: { id: `app_${gatehouse.application('spa').clientId}` } });
  expect(environmentId).toBe((await production()).id);
  await expect(signUp(gatehouse, { email })).rejects.toThrow(OFFER);
  const { agent, page, request } = await signIn(gatehouse, email, { password: PASSWORD });
  expect(headingOf(page)).toBe(OFFER);
  expect(answerOf(await agent.submit(page, 'later'), request).code).toBeTruthy();
});

test.each([
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
    'Safari · macOS',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0',
    'Edge · Windows',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148',
    'Chrome · iPhone',
  ],
  ['Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0', 'Firefox · Android'],
  ['curl/8', undefined],
])('a passkey and a session are called after %s', (userAgent, name) => expect(deviceName(userAgent)).toBe(name));
