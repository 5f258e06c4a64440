/** What an authorization request may ask for, beyond what every one does. */
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { type PageView, postToken, userAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  codeForm,
  exchange,
  headingOf,
  organization,
  type Person,
  productionEnvironment,
  refreshForm,
  requestOf,
  signIn,
  signUp,
  userIdOf,
} from '../signin/person.ts';

const gatehouse = startApp();
const newAgent = () => userAgent(gatehouse.baseUrl);
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const isSignIn = (page: PageView) => headingOf(page) === 'Sign in';
const isSignUp = (page: PageView) => headingOf(page) === 'Create your account';
const parametersOf = ({ url }: PageView) => Object.fromEntries(new URL(url).searchParams);
const API = 'https://api.acme.test';

async function accessTokenOf(person: Person, parameters: Record<string, string>) {
  const { body } = await exchange(gatehouse, await person.authorize('spa', parameters));
  return decodeJwt(body.access_token);
}

describe('a request that is posted', () => {
  const post = (form: Record<string, string> | URLSearchParams, headers = {}) =>
    fetch(`${gatehouse.quickstart.issuer}/oauth2/auth`, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual', headers });

  test('does what it does as a link, with the session that a form of another site would not bring along', async () => {
    const person = await signUp(gatehouse);
    const request = requestOf(gatehouse, 'spa', { state: 'a b&c=d"<e>' });
    const sent = await post({ ...request.query, unknown: 'x' });
    expect(sent.status).toBe(303);
    const location = sent.headers.get('location')!;
    expect(location).not.toContain('unknown');
    expect((await exchange(gatehouse, answerOf(await person.agent.open(location), request))).status).toBe(200);
    expect(isSignIn(await newAgent().open(location))).toBe(true);
  });

  test('is refused for the same reasons', async () => {
    const twice = new URLSearchParams(requestOf(gatehouse, 'spa').query);
    twice.append('state', 'again');
    expect((await newAgent().open((await post(twice)).headers.get('location')!)).html).toContain('state is given more than once');
    expect((await post({})).status).toBe(303);
    const json = await fetch(`${gatehouse.quickstart.issuer}/oauth2/auth`, {
      method: 'POST',
      body: JSON.stringify(requestOf(gatehouse, 'spa').query),
      headers: { 'content-type': 'application/json' },
      redirect: 'manual',
    });
    expect([json.status, await json.text()]).toEqual([400, expect.stringContaining('is a form')]);
  });
});

describe('several prompts', () => {
  test.each<[string, (page: PageView) => boolean]>([
    ['login consent', isSignIn],
    ['select_account', isSignIn],
    ['consent select_account', isSignIn],
    ['login create', isSignUp],
    [' create  consent ', isSignUp],
  ])('%j open the page that they name, signed in or not', async (prompt, isRight) => {
    const { agent } = await signUp(gatehouse);
    expect(isRight(await agent.open(requestOf(gatehouse, 'spa', { prompt }).url))).toBe(true);
  });

  test('consent to an application of the operator’s own was given by the operator', async () => {
    const person = await signUp(gatehouse);
    expect((await person.authorize('spa', { prompt: 'consent' })).code).toBeTruthy();
  });
});

describe('id_token_hint', () => {
  test('passes its own person through, even when it has expired', async () => {
    const person = await signUp(gatehouse);
    const { body } = await exchange(gatehouse, person.first);
    gatehouse.advance(2 * 3600);
    expect((await person.authorize('spa', { id_token_hint: body.id_token, prompt: 'none' })).code).toBeTruthy();
    expect((await person.authorize('spa', { id_token_hint: body.id_token })).code).toBeTruthy();
  });

  test('lets nobody else through: with prompt=none login_required, else the page to sign in', async () => {
    const [person, other] = [await signUp(gatehouse), await signUp(gatehouse)];
    const { body } = await exchange(gatehouse, other.first);
    const reg = await exchange(gatehouse, await other.authorize('reg'), 'reg');
    const [header, payload] = body.id_token.split('.') as [string, string];
    const hints = {
      'another person’s': body.id_token,
      'an access token': body.access_token,
      'another client’s': reg.body.id_token,
      'an unsigned one': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
      'one without a signature': `${header}.${payload}.`,
      'no token': 'nonsense',
    };
    for (const [what, hint] of Object.entries(hints)) {
      const silent = await person.agent.open(requestOf(gatehouse, 'spa', { id_token_hint: hint, prompt: 'none' }).url);
      expect([what, parametersOf(silent)['error']]).toEqual([what, 'login_required']);
      expect([what, isSignIn(await person.agent.open(requestOf(gatehouse, 'spa', { id_token_hint: hint }).url))]).toEqual([what, true]);
    }
    const ownOfAnotherClient = await person.authorize('reg');
    const { body: own } = await exchange(gatehouse, ownOfAnotherClient, 'reg');
    const answer = await person.agent.open(requestOf(gatehouse, 'spa', { id_token_hint: own.id_token, prompt: 'none' }).url);
    expect(parametersOf(answer)['error']).toBe('login_required');
  });
});

describe('response_mode=form_post', () => {
  const fieldsOf = ({ html }: PageView) =>
    Object.fromEntries([...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(([, name, text]) => [name, text]));

  test('is a page that posts to the callback and to nowhere else, by a script of ours or by its button', async () => {
    const person = await signUp(gatehouse);
    const request = requestOf(gatehouse, 'spa', { response_mode: 'form_post', state: '"><script>alert(1)</script>' });
    const page = await person.agent.open(request.url);
    expect([page.status, headingOf(page)]).toEqual([200, 'One moment']);
    expect(page.html).toContain('<form method="post" action="http://localhost:8080/callback" id="answer">');
    expect(page.html).toMatch(/<button class="primary">/);
    const nonce = /<script [^>]*nonce="([\w-]{22})"/.exec(page.html)?.[1];
    expect(page.headers.get('content-security-policy')).toBe(
      `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'self'; img-src 'self' data:; form-action http://localhost:8080; base-uri 'none'; frame-ancestors 'none'`,
    );
    expect(page.headers.get('cache-control')).toBe('no-store');
    const script = await fetch(`${gatehouse.baseUrl}/assets/answer.js`);
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const fields = fieldsOf(page);
    expect(fields).toMatchObject({ iss: gatehouse.baseUrl, state: '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;' });
    const { status } = await exchange(gatehouse, {
      url: new URL(page.url),
      code: fields['code']!,
      verifier: request.verifier,
      sent: request.query,
    });
    expect(status).toBe(200);
  });

  test('posts an error too, and the answer after the pages', async () => {
    const silent = await newAgent().open(requestOf(gatehouse, 'spa', { response_mode: 'form_post', prompt: 'none' }).url);
    expect(fieldsOf(silent)).toMatchObject({ error: 'login_required', iss: gatehouse.baseUrl });
    const { email } = await signUp(gatehouse);
    const { page } = await signIn(gatehouse, email, { parameters: { response_mode: 'form_post' } });
    expect(fieldsOf(page)['code']).toMatch(/^[\w-]{43}$/);
  });

  test('is not for a scheme that takes no forms', async () => {
    const { clientId } = gatehouse.application('spa');
    const where = { id: `app_${clientId}` };
    await prisma().application.updateMany({ where, data: { callbackUrls: { push: 'com.acme.app://callback' } } });
    gatehouse.app.infrastructure.lookups.forget();
    const native = { redirect_uri: 'com.acme.app://callback' };
    const refused = await newAgent().open(requestOf(gatehouse, 'spa', { ...native, response_mode: 'form_post' }).url);
    expect([refused.status, refused.html]).toEqual([400, expect.stringContaining('http and https only')]);
    expect(isSignIn(await newAgent().open(requestOf(gatehouse, 'spa', native).url))).toBe(true);
  });
});

test.each(['has_success_page', 'is_use_auth_success_page'])('%s ends on a page that leads back with the answer', async (name) => {
  const person = await signUp(gatehouse);
  const request = requestOf(gatehouse, 'spa', { [name]: 'true' });
  const page = await person.agent.open(request.url);
  expect([page.status, headingOf(page)]).toEqual([200, 'You are signed in']);
  const href = /<a class="primary" href="([^"]+)"/.exec(page.html)![1]!.replaceAll('&amp;', '&');
  const answer = answerOf({ ...page, url: href }, request);
  expect((await exchange(gatehouse, answer)).status).toBe(200);
  expect((await person.authorize('spa', { [name]: 'false' })).code).toBeTruthy();
  const silent = await newAgent().open(requestOf(gatehouse, 'spa', { [name]: 'true', prompt: 'none' }).url);
  expect(parametersOf(silent)['error']).toBe('login_required');
});

describe('the organization', () => {
  test('prompt=none with org_code switches to another one of the person’s, and is access_denied for any other', async () => {
    const person = await signUp(gatehouse);
    const userId = await userIdOf(gatehouse, person.email);
    const own = await organization(gatehouse, 'Own', { members: [userId] });
    const foreign = await organization(gatehouse, 'Foreign');
    expect(await accessTokenOf(person, { prompt: 'none', org_code: own })).toMatchObject({ org_code: own });
    for (const org_code of [foreign, `org_${'d'.repeat(32)}`]) {
      const answer = await person.agent.open(requestOf(gatehouse, 'spa', { prompt: 'none', org_code }).url);
      expect(parametersOf(answer)).toMatchObject({ error: 'access_denied', iss: gatehouse.baseUrl });
    }
  });

  test('is the one of the last time, where the environment’s policy says so', async () => {
    const person = await signUp(gatehouse);
    const userId = await userIdOf(gatehouse, person.email);
    const last = await organization(gatehouse, 'Last', { members: [userId] });
    const ask = () => person.agent.open(requestOf(gatehouse, 'spa').url);
    expect(headingOf(await ask())).toBe('Choose an organization');
    const { id } = await productionEnvironment(gatehouse);
    await prisma().environment.update({ where: { id }, data: { useMostRecentOrganization: true } });
    gatehouse.app.infrastructure.lookups.forget();
    await person.authorize('spa', { org_code: last });
    expect(await accessTokenOf(person, {})).toMatchObject({ org_code: last });
    await prisma().membership.deleteMany({ where: { userId, organizationId: last } });
    await organization(gatehouse, 'Third', { members: [userId] });
    expect(headingOf(await ask())).toBe('Choose an organization');
    await prisma().environment.update({ where: { id }, data: { useMostRecentOrganization: false } });
    gatehouse.app.infrastructure.lookups.forget();
  });
});

describe('where a person came from', () => {
  const properties = async (table: 'user' | 'organization', id: string) => {
    const where = table === 'user' ? { userId: id } : { organizationId: id };
    const select = { value: true, property: { select: { key: true } } } as const;
    const rows =
      table === 'user'
        ? await prisma().userPropertyValue.findMany({ where, select })
        : await prisma().organizationPropertyValue.findMany({ where, select });
    return Object.fromEntries(rows.map(({ value, property }) => [property.key, value]));
  };

  test('is noted at sign-up about the user, about a new organization too, and never again', async () => {
    const tags = { utm_source: 'letter', gclid: 'x'.repeat(300), utm_term: '', keyword: 'a\nb' };
    const person = await signUp(gatehouse, { parameters: { ...tags, is_create_org: 'true', org_name: 'From a letter' } });
    const userId = await userIdOf(gatehouse, person.email);
    const noted = { utm_source: 'letter', gclid: 'x'.repeat(200), keyword: 'a b' };
    const keyed = (prefix: string) => Object.fromEntries(Object.entries(noted).map(([name, text]) => [`${prefix}${name}`, text]));
    expect(await properties('user', userId)).toEqual(keyed('kp_usr_'));
    const { id } = await prisma().organization.findFirstOrThrow({ where: { name: 'From a letter' } });
    expect(await properties('organization', id)).toEqual(keyed('kp_org_'));
    await person.authorize('spa', { utm_source: 'another' });
    await signIn(gatehouse, person.email, { parameters: { utm_source: 'another', utm_medium: 'web' } });
    expect(await properties('user', userId)).toEqual(keyed('kp_usr_'));
  });

  test('may come twice, or as what is no tag, and keeps nobody out', async () => {
    const { url } = requestOf(gatehouse, 'spa', { prompt: 'create' });
    expect(isSignUp(await newAgent().open(`${url}&utm_source=a&utm_source=b&gclid=%00`))).toBe(true);
  });
});

test('offline and its alias offline_access bring a refresh token, and a scope that nobody knows is no error', async () => {
  const person = await signUp(gatehouse);
  for (const [scope, granted] of [
    ['openid offline', 'openid offline'],
    ['openid offline_access', 'openid offline'],
    ['openid admin:everything constructor', 'openid'],
  ] as const) {
    const { body } = await exchange(gatehouse, await person.authorize('spa', { scope }));
    expect([body.scope, body.refresh_token !== undefined]).toEqual([granted, granted.includes('offline')]);
  }
});

describe('an audience', () => {
  test('is in the token by each of its three forms: repeated, in one list, or alone; empty it is as if it were not there', async () => {
    const person = await signUp(gatehouse);
    const forms = [
      [`audience=${API}&audience=https://unknown.test`, [API]],
      [`audience=https://unknown.test+${API}`, [API]],
      [`audience=${API}`, [API]],
      ['audience=', []],
    ] as const;
    for (const [form, aud] of forms) {
      const request = requestOf(gatehouse, 'spa');
      const answer = answerOf(await person.agent.open(`${request.url}&${form}`), request);
      expect([form, decodeJwt((await exchange(gatehouse, answer)).body.access_token).aud]).toEqual([form, aud]);
    }
  });

  test('may be called a resource, when the application is authorised for it', async () => {
    const person = await signUp(gatehouse);
    expect(await accessTokenOf(person, { resource: API })).toMatchObject({ aud: [API] });
    expect(await accessTokenOf(person, { resource: API, audience: `${API} https://unknown.test` })).toMatchObject({ aud: [API] });
    const answer = await person.agent.open(requestOf(gatehouse, 'spa', { resource: 'https://unknown.test' }).url);
    expect(parametersOf(answer)).toMatchObject({ error: 'invalid_target', iss: gatehouse.baseUrl });
  });

  test('that is a resource of the grant may be asked for by itself at the token endpoint, and no other', async () => {
    const person = await signUp(gatehouse);
    const answer = await person.authorize('spa', { audience: API });
    const other = await postToken(gatehouse.quickstart.issuer, codeForm(gatehouse, answer, 'spa', { resource: 'https://unknown.test' }));
    expect([other.status, other.body.error]).toEqual([400, 'invalid_target']);
    const { body } = await postToken(gatehouse.quickstart.issuer, codeForm(gatehouse, answer, 'spa', { resource: API }));
    expect(decodeJwt(body.access_token).aud).toEqual([API]);
    const refreshed = await postToken(gatehouse.quickstart.issuer, {
      ...refreshForm(gatehouse, body.refresh_token),
      resource: 'https://unknown.test',
    });
    expect(refreshed.body.error).toBe('invalid_target');
  });

  test('of a machine may be called a resource', async () => {
    const { clientId, clientSecret } = gatehouse.application('m2m');
    const ask = (resource: string) =>
      postToken(gatehouse.quickstart.issuer, {
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret!,
        resource,
      });
    expect(decodeJwt((await ask(API)).body.access_token).aud).toEqual([API]);
    expect((await ask('https://unknown.test')).body.error).toBe('invalid_target');
  });
});

test('a connection that is not there, a language that is none and a plan keep nobody from signing in', async () => {
  const { url } = requestOf(gatehouse, 'spa', {
    connection_id: `conn_${'a'.repeat(32)}`,
    lang: '"><b>',
    ui_locales: 'xx yy',
    plan_interest: 'pro',
    pricing_table_key: 'table',
    workflow_deployment_id: 'x',
    pages_mode: 'preview',
    redirect_url: 'https://evil.test',
  });
  expect(isSignIn(await newAgent().open(url))).toBe(true);
});

test('the language that is asked for is kept with the attempt', async () => {
  for (const [parameters, lang] of [
    [{ lang: 'en-AU', ui_locales: 'fr' }, 'en-AU fr'],
    [{ ui_locales: 'pt-BR  ../etc fr' }, 'pt-BR fr'],
    [{ lang: '../etc' }, null],
  ] as const) {
    const page = await newAgent().open(requestOf(gatehouse, 'spa', parameters).url);
    const { request } = await prisma().signInAttempt.findFirstOrThrow({ where: { id: page.url.split('/').at(-1)! } });
    expect((request as { lang: string | null }).lang).toBe(lang);
  }
});

test('a program that asks for JSON is told by JSON what a person is told by the page', async () => {
  const { url } = requestOf(gatehouse, 'spa', { response_type: 'token' });
  const answer = await fetch(url, { headers: { accept: 'application/json' } });
  expect(answer.status).toBe(400);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(await answer.json()).toEqual({
    error: 'This sign-in link does not work',
    error_description: expect.stringContaining('response_type must be code'),
    number: 1656,
    reference: answer.headers.get('x-request-id'),
  });
  for (const accept of ['text/html,application/json', '*/*', ''])
    expect((await fetch(url, { headers: { accept } })).headers.get('content-type')).toMatch(/^text\/html/);
  const expired = await fetch(`${gatehouse.baseUrl}/signin/${'x'.repeat(24)}`, { headers: { accept: 'application/json' } });
  expect(await expired.json()).toMatchObject({ number: 4321 });
});
