/** What applications are promised: their URLs, their secrets, their tokens and their end. */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { postToken, teamToken } from '../helpers/user-agent.ts';
import { exchange, refresh, requestOf, signUp } from '../signin/person.ts';

const gatehouse = startApp();
let owner: string;

beforeAll(async () => {
  owner = await teamToken(gatehouse, 'owner@acme.test');
});

const CREATE = graphql(`
  mutation MakeApplication($input: CreateApplicationInput!) {
    createApplication(input: $input) { errors { code } clientSecret application { id clientId organizationId } }
  }
`);
const UPDATE = graphql(`
  mutation ChangeApplication($input: UpdateApplicationInput!) {
    updateApplication(input: $input) {
      errors { code path }
      application { name loginUri homepageUri emailSignIn phoneSignIn usernameSignIn isSessionPersistent sessionInactivityTimeout version }
    }
  }
`);
const ADD = graphql(`
  mutation MoreCallbackUrls($input: AddCallbackUrlsInput!) {
    addCallbackUrls(input: $input) { errors { code path } application { callbackUrls } }
  }
`);
const REPLACE = graphql(`
  mutation OtherLogoutUrls($input: ReplaceLogoutUrlsInput!) {
    replaceLogoutUrls(input: $input) { errors { code } application { logoutUrls callbackUrls } }
  }
`);
const REMOVE = graphql(`
  mutation FewerCallbackUrls($input: RemoveCallbackUrlsInput!) {
    removeCallbackUrls(input: $input) { errors { message } application { callbackUrls } }
  }
`);
const ROTATE = graphql(`
  mutation AnotherSecret($input: RotateApplicationSecretInput!) {
    rotateApplicationSecret(input: $input) { errors { code } clientSecret application { hasPreviousSecret secretRotatedAt } }
  }
`);
const REVOKE = graphql(`
  mutation OldSecretNoMore($input: RevokePreviousSecretInput!) {
    revokePreviousSecret(input: $input) { errors { code } application { hasPreviousSecret } }
  }
`);
const DELETE = graphql(`
  mutation NoMoreApplication($input: DeleteApplicationInput!) {
    deleteApplication(input: $input) { errors { message } deletedId preview { revokedTokens rows { kind deleted } } }
  }
`);

async function environmentId(): Promise<string> {
  return (await gatehouse.app.infrastructure.database.prisma.environment.findFirstOrThrow({ where: { isPrimary: true } })).id;
}

async function make(type: 'REG' | 'SPA' | 'M2M', more: { organizationId?: string; callbackUrls?: string[] } = {}) {
  const input = { environmentId: await environmentId(), name: 'Made', type, ...more };
  const { data } = await ask(gatehouse, owner, CREATE, { input });
  const { application, clientSecret } = data!.createApplication!;
  return { id: application!.id, clientId: application!.clientId!, clientSecret: clientSecret! };
}

const idOf = (type: 'reg' | 'spa') => `app_${gatehouse.application(type).clientId}`;

describe('settings', () => {
  test('are changed where they are named, and stay where they are not', async () => {
    const { id: applicationId } = await make('REG');
    const first = await ask(gatehouse, owner, UPDATE, {
      input: {
        applicationId,
        loginUri: 'https://acme.test/login',
        homepageUri: 'http://localhost:3000',
        emailSignIn: 'PASSWORD',
        phoneSignIn: 'CODE',
        usernameSignIn: 'PASSWORD',
        isSessionPersistent: false,
        sessionInactivityTimeout: 600,
      },
    });
    const changed = {
      name: 'Made',
      loginUri: 'https://acme.test/login',
      homepageUri: 'http://localhost:3000',
      emailSignIn: 'PASSWORD',
      phoneSignIn: 'CODE',
      usernameSignIn: 'PASSWORD',
      isSessionPersistent: false,
      sessionInactivityTimeout: 600,
      version: 2,
    };
    expect(first.data?.updateApplication).toEqual({ errors: [], application: changed });
    const second = await ask(gatehouse, owner, UPDATE, { input: { applicationId, name: ' Shop ', homepageUri: null, expectedVersion: 2 } });
    expect(second.data?.updateApplication?.application).toEqual({ ...changed, name: 'Shop', homepageUri: null, version: 3 });
  });

  test('nobody signs in by email where that is off', async () => {
    const { id: applicationId, clientId } = await make('SPA', { callbackUrls: ['http://localhost:8080/callback'] });
    await ask(gatehouse, owner, UPDATE, { input: { applicationId, emailSignIn: 'OFF' } });
    const { agent } = await signUp(gatehouse);
    const { url } = requestOf(gatehouse, 'spa', { client_id: clientId, prompt: 'login' });
    const page = await agent.submit(await agent.open(url), 'identify', { p_email: 'owner@acme.test' });
    expect(page.status).toBe(403);
    expect(page.html).toContain('does not let people sign in with an email address');
  });
});

describe('callback and logout URLs', () => {
  test('are added, replaced and removed, each once and in their order', async () => {
    const { id: applicationId } = await make('SPA', { callbackUrls: ['https://a.test/cb'] });
    const urls = ['https://*.b.test/cb', 'https://a.test/cb', 'com.acme.app://cb', 'https://*.b.test/cb'];
    const added = await ask(gatehouse, owner, ADD, { input: { applicationId, urls } });
    const all = ['https://a.test/cb', 'https://*.b.test/cb', 'com.acme.app://cb'];
    expect(added.data?.addCallbackUrls).toEqual({ errors: [], application: { callbackUrls: all } });
    const removed = await ask(gatehouse, owner, REMOVE, { input: { applicationId, urls: ['https://*.b.test/cb', 'https://none.test'] } });
    expect(removed.data?.removeCallbackUrls?.application).toEqual({ callbackUrls: ['https://a.test/cb', 'com.acme.app://cb'] });
    const replaced = await ask(gatehouse, owner, REPLACE, { input: { applicationId, urls: ['https://a.test'] } });
    expect(replaced.data?.replaceLogoutUrls?.application).toEqual({
      logoutUrls: ['https://a.test'],
      callbackUrls: ['https://a.test/cb', 'com.acme.app://cb'],
    });
  });

  test('none is lost of those that are added at the same moment', async () => {
    const { id: applicationId } = await make('SPA');
    const urls = Array.from({ length: 8 }, (_, at) => `https://${at}.test/cb`);
    await Promise.all(urls.map((url) => ask(gatehouse, owner, ADD, { input: { applicationId, urls: [url] } })));
    const { data } = await ask(gatehouse, owner, ADD, { input: { applicationId, urls: [] } });
    expect(data?.addCallbackUrls?.application?.callbackUrls?.toSorted()).toEqual(urls);
  });

  test('there are never more than 100, however they are added', async () => {
    const { id: applicationId } = await make('SPA');
    const urls = Array.from({ length: 60 }, (_, at) => `https://${at}.test/cb`);
    await ask(gatehouse, owner, ADD, { input: { applicationId, urls } });
    const { data } = await ask(gatehouse, owner, ADD, { input: { applicationId, urls: urls.map((url) => `${url}/2`) } });
    expect(data?.addCallbackUrls).toEqual({ errors: [{ code: 'TOO_MANY_URLS', path: ['urls'] }], application: null });
  });

  test('a sign-in goes to a host that a wildcard stands for, and ends for that very host', async () => {
    const { id: applicationId, clientId } = await make('SPA', { callbackUrls: ['https://pr-*-shop.acme.test/cb'] });
    const { agent } = await signUp(gatehouse);
    const at = (redirectUri: string) => requestOf(gatehouse, 'spa', { client_id: clientId, redirect_uri: redirectUri });
    const request = at('https://pr-7-shop.acme.test/cb');
    const { url } = await agent.open(request.url);
    expect(url).toMatch(/^https:\/\/pr-7-shop\.acme\.test\/cb\?code=/);
    const form = {
      grant_type: 'authorization_code',
      client_id: clientId,
      code: new URL(url).searchParams.get('code')!,
      code_verifier: request.verifier,
    };
    const { issuer } = gatehouse.quickstart;
    const elsewhere = await postToken(issuer, { ...form, redirect_uri: 'https://pr-8-shop.acme.test/cb' });
    expect(elsewhere.body.error).toBe('invalid_grant');
    expect((await postToken(issuer, { ...form, redirect_uri: 'https://pr-7-shop.acme.test/cb' })).status).toBe(200);

    for (const redirectUri of ['https://pr-7.x-shop.acme.test/cb', 'https://evil.com/-shop.acme.test/cb', 'https://pr-*-shop.acme.test/cb'])
      expect((await agent.open(at(redirectUri).url)).html).toContain('Callback URL not allowed');

    const mayCall = async (origin: string) =>
      (await fetch(`${issuer}/oauth2/token`, { method: 'OPTIONS', headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await mayCall('https://pr-9-shop.acme.test')).toBe('https://pr-9-shop.acme.test');
    expect(await mayCall('https://pr-9.x-shop.acme.test')).toBeNull();

    await ask(gatehouse, owner, REPLACE, { input: { applicationId, urls: ['https://*.shop.acme.test'] } });
    const leave = (target: string) =>
      fetch(`${issuer}/logout?client_id=${clientId}&redirect=${encodeURIComponent(target)}`, { redirect: 'manual' });
    expect((await leave('https://one.shop.acme.test')).headers.get('location')).toBe('https://one.shop.acme.test');
    expect((await leave('https://one.two.shop.acme.test')).status).toBe(400);
  });

  test('a program on a device is answered at whichever port it listens on', async () => {
    const { clientId } = await make('SPA', { callbackUrls: ['http://127.0.0.1/cb'] });
    const { agent } = await signUp(gatehouse);
    const at = (redirectUri: string) => requestOf(gatehouse, 'spa', { client_id: clientId, redirect_uri: redirectUri }).url;
    expect((await agent.open(at('http://127.0.0.1:53682/cb'))).url).toMatch(/^http:\/\/127\.0\.0\.1:53682\/cb\?code=/);
    expect((await agent.open(at('http://127.0.0.1:99999/cb'))).html).toContain('Callback URL not allowed');
  });
});

describe('a previous secret', () => {
  const audience = 'https://api.acme.test';
  const grant = async (clientId: string, secret: string) => {
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret, audience };
    return (await postToken(gatehouse.quickstart.issuer, form)).body.error ?? 'granted';
  };
  // The application is authorised for no API: that is said to who has a right secret only.
  const works = async (clientId: string, secret: string) => (await grant(clientId, secret)) === 'unauthorized_client';

  test('works until it is revoked, and there is one at most', async () => {
    const { id: applicationId, clientId, clientSecret: first } = await make('REG');
    const rotated = await ask(gatehouse, owner, ROTATE, { input: { applicationId, keepPrevious: true } });
    expect(rotated.data?.rotateApplicationSecret).toMatchObject({
      errors: [],
      application: { hasPreviousSecret: true, secretRotatedAt: expect.any(String) },
    });
    const second = rotated.data!.rotateApplicationSecret!.clientSecret!;
    expect(
      await Promise.all([first, second, `${second.slice(0, -1)}-`, '', '-'.repeat(64)].map((secret) => works(clientId, secret))),
    ).toEqual([true, true, false, false, false]);
    const again = await ask(gatehouse, owner, ROTATE, { input: { applicationId, keepPrevious: true } });
    expect(again.data?.rotateApplicationSecret).toMatchObject({ errors: [{ code: 'PREVIOUS_SECRET_KEPT' }], clientSecret: null });
    expect(await works(clientId, second)).toBe(true);

    const revocations = await Promise.all([1, 2, 3].map(() => ask(gatehouse, owner, REVOKE, { input: { applicationId } })));
    const outcomes = revocations.map(({ data }) => data!.revokePreviousSecret!.errors.map(({ code }) => code).join());
    expect(outcomes.sort()).toEqual(['', 'NO_PREVIOUS_SECRET', 'NO_PREVIOUS_SECRET']);
    expect([await works(clientId, first), await works(clientId, second)]).toEqual([false, true]);
  });

  test('of parallel rotations that keep the previous secret one succeeds', async () => {
    const { id: applicationId, clientId, clientSecret } = await make('M2M');
    const answers = await Promise.all([1, 2, 3].map(() => ask(gatehouse, owner, ROTATE, { input: { applicationId, keepPrevious: true } })));
    const secrets = answers.flatMap(({ data }) => data?.rotateApplicationSecret?.clientSecret ?? []);
    expect(secrets).toHaveLength(1);
    expect([await works(clientId, clientSecret), await works(clientId, secrets[0]!)]).toEqual([true, true]);
  });

  test('goes with the next rotation that keeps none', async () => {
    const { id: applicationId, clientId, clientSecret: first } = await make('M2M');
    const { data } = await ask(gatehouse, owner, ROTATE, { input: { applicationId, keepPrevious: true } });
    const second = data!.rotateApplicationSecret!.clientSecret!;
    const { data: last } = await ask(gatehouse, owner, ROTATE, { input: { applicationId } });
    expect(last?.rotateApplicationSecret?.application?.hasPreviousSecret).toBe(false);
    const third = last!.rotateApplicationSecret!.clientSecret!;
    expect([await works(clientId, first), await works(clientId, second), await works(clientId, third)]).toEqual([false, false, true]);
  });
});

describe('deleting an application', () => {
  test('ends everything that it was given, as the dry run says', async () => {
    const person = await signUp(gatehouse, { kind: 'reg' });
    const { body } = await exchange(gatehouse, person.first, 'reg');
    const waiting = await person.authorize('reg');
    const other = await exchange(gatehouse, await person.authorize('spa'), 'spa');
    const applicationId = idOf('reg');
    const dry = await ask(gatehouse, owner, DELETE, { input: { applicationId, dryRun: true } });
    expect(dry.data?.deleteApplication).toMatchObject({ deletedId: null, preview: { revokedTokens: 1 } });
    expect(dry.data?.deleteApplication?.preview?.rows).toEqual(
      expect.arrayContaining([
        { kind: 'applications', deleted: 1 },
        { kind: 'grants', deleted: 2 },
        { kind: 'refresh_tokens', deleted: 1 },
      ]),
    );
    const { refresh_token: alive } = (await refresh(gatehouse, body.refresh_token, 'reg')).body;
    expect(alive).toBeTruthy();

    const { data } = await ask(gatehouse, owner, DELETE, { input: { applicationId } });
    expect(data?.deleteApplication).toEqual({ errors: [], deletedId: applicationId, preview: null });
    expect((await refresh(gatehouse, alive, 'reg')).body.error).toBe('invalid_client');
    expect((await exchange(gatehouse, waiting, 'reg')).body.error).toBe('invalid_client');
    expect((await person.agent.open(requestOf(gatehouse, 'reg').url)).html).toContain('Unknown application');
    const profile = await fetch(`${gatehouse.quickstart.issuer}/oauth2/v2/user_profile`, {
      headers: { authorization: `Bearer ${body.access_token}` },
    });
    expect(profile.status).toBe(401);
    expect((await refresh(gatehouse, other.body.refresh_token, 'spa')).status).toBe(200);
    const again = await ask(gatehouse, owner, DELETE, { input: { applicationId } });
    expect(again).toMatchObject({ data: { deleteApplication: null }, errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  });

  test('ends what a machine may do in the graph, at once', async () => {
    const { clientId, clientSecret } = gatehouse.application('m2m');
    const { issuer, managementAudience: audience } = gatehouse.quickstart;
    const { body } = await postToken(issuer, {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret!,
      audience,
    });
    const name = () => ask(gatehouse, body.access_token, '{ environment { name } }');
    expect((await name()).data).toEqual({ environment: { name: 'Production' } });
    await ask(gatehouse, owner, DELETE, { input: { applicationId: `app_${clientId}` } });
    expect(await name()).toMatchObject({ data: null, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });
});

test('a machine of one organization says so in its tokens, and is none for the graph', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const id = await environmentId();
  const { id: organizationId } = await prisma.organization.findFirstOrThrow({ where: { environmentId: id, isDefault: true } });
  const machine = await make('M2M', { organizationId });
  const apis = await prisma.api.findMany({ where: { environmentId: id } });
  // As if somebody had authorised it in the database: it must not matter.
  await prisma.applicationApi.createMany({
    data: apis.map((api) => ({ environmentId: id, applicationId: machine.id, apiId: api.id, scopes: ['read:users', 'read:invoices'] })),
  });
  gatehouse.app.infrastructure.lookups.forget();
  const { issuer, managementAudience } = gatehouse.quickstart;
  const token = (audience: string) =>
    postToken(issuer, { grant_type: 'client_credentials', client_id: machine.clientId, client_secret: machine.clientSecret, audience });
  const { body } = await token('https://api.acme.test');
  expect(decodeJwt(body.access_token)['org_code']).toBe(organizationId);
  for (const audience of [managementAudience, `${managementAudience}/v1`, `https://api.acme.test ${managementAudience}`])
    expect((await token(audience)).body.error).toBe('unauthorized_client');

  await prisma.organization.updateMany({ where: { environmentId: id, id: organizationId }, data: { isSuspended: true } });
  gatehouse.app.infrastructure.lookups.forget();
  expect((await token('https://api.acme.test')).body.error).toBe('unauthorized_client');
  await prisma.organization.updateMany({ where: { environmentId: id, id: organizationId }, data: { isSuspended: false } });
  gatehouse.app.infrastructure.lookups.forget();
  // A token that it was given before it was confined opens nothing either.
  await prisma.application.updateMany({ where: { id: machine.id }, data: { organizationId: null } });
  gatehouse.app.infrastructure.lookups.forget();
  const { access_token: wide } = (await token(managementAudience)).body;
  expect((await ask(gatehouse, wide, '{ viewer { scopes } }')).data).toEqual({ viewer: { scopes: ['read:users'] } });
  await prisma.application.updateMany({ where: { id: machine.id }, data: { organizationId } });
  gatehouse.app.infrastructure.lookups.forget();
  expect(await ask(gatehouse, wide, '{ viewer { scopes } }')).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
});
