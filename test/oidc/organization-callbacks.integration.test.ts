/** Callback, logout and login URLs with an organization's handle in them: each is its organization's own. */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, type PageView, postForm, postToken, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import {
  type Answer,
  answerOf,
  codeForm,
  headingOf,
  identify,
  organization,
  PASSWORD,
  type Person,
  productionEnvironment,
  requestOf,
  signUp,
  suspend,
  userIdOf,
} from '../signin/person.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const issuer = () => gatehouse.quickstart.issuer;
const callbackOf = (handle: string) => `https://${handle}.app.acme.test/callback`;

let environmentId: string;
let person: Person;
let acme: string;
let beta: string;

async function register(data: Record<string, string | string[]>): Promise<void> {
  await prisma().application.updateMany({ where: { id: `app_${gatehouse.application('spa').clientId}` }, data });
  gatehouse.app.infrastructure.lookups.forget();
}

beforeAll(async () => {
  ({ id: environmentId } = await productionEnvironment(gatehouse));
  person = await signUp(gatehouse);
  const members = [await userIdOf(gatehouse, person.email)];
  acme = await organization(gatehouse, 'Acme', { members });
  beta = await organization(gatehouse, 'Beta', { members });
  await prisma().organization.update({ where: { environmentId_id: { environmentId, id: acme } }, data: { handle: 'acme' } });
  await prisma().organization.update({ where: { environmentId_id: { environmentId, id: beta } }, data: { handle: 'beta' } });
  await register({
    callbackUrls: [...gatehouse.application('spa').callbackUrls, 'https://{organization.handle}.app.acme.test/callback'],
    logoutUrls: ['https://{organization.handle}.app.acme.test/bye'],
    loginUri: 'https://{organization.handle}.app.acme.test/login',
  });
});

const request = (handle: string, parameters = {}) => requestOf(gatehouse, 'spa', { redirect_uri: callbackOf(handle), ...parameters });
const open = (handle: string, parameters = {}, agent: UserAgent = person.agent) => agent.open(request(handle, parameters).url);

async function authorize(handle: string, parameters = {}): Promise<Answer> {
  const made = request(handle, parameters);
  return answerOf(await person.agent.open(made.url), made);
}

const tokens = (answer: Answer, headers = {}) => postToken(issuer(), codeForm(gatehouse, answer), headers);

function expectRefused(page: PageView): void {
  expect(page.status).toBe(400);
  expect(page.url).toMatch(new RegExp(`^${gatehouse.baseUrl}/`));
  expect(page.html).toContain('1656');
}

describe('a callback', () => {
  test('at an organization’s handle brings tokens for that organization, with no choice to make', async () => {
    for (const [handle, id] of [
      ['acme', acme],
      ['beta', beta],
    ] as const) {
      for (const parameters of [{}, { org_code: id }, { prompt: 'none' }]) {
        const answer = await authorize(handle, parameters);
        expect(answer.url.origin + answer.url.pathname).toBe(callbackOf(handle));
        const { status, body } = await tokens(answer);
        expect([status, decodeJwt(body.access_token)['org_code']]).toEqual([200, id]);
      }
    }
    expect(headingOf(await person.agent.open(requestOf(gatehouse, 'spa').url))).toBe('Choose an organization');
  });

  test('goes through the pages for it, and through a pushed request', async () => {
    const { page } = await identify(gatehouse, person.agent, person.email, { redirect_uri: callbackOf('acme'), prompt: 'login' });
    const signedIn = await person.agent.submit(page, 'password', { p_password: PASSWORD });
    expect(signedIn.url).toMatch(/^https:\/\/acme\.app\.acme\.test\/callback\?code=/);
    const made = request('beta');
    const pushed = await postForm(`${issuer()}/oauth2/par`, made.query);
    const parameters = { client_id: made.query.client_id, request_uri: String(pushed.body?.['request_uri']) };
    const answer = answerOf(await person.agent.open(`${issuer()}/oauth2/auth?${new URLSearchParams(parameters)}`), made);
    expect(decodeJwt((await tokens(answer)).body.access_token)['org_code']).toBe(beta);
  });

  test('answers only a person who may be in the organization', async () => {
    const stranger = await signUp(gatehouse);
    const page = await open('acme', {}, stranger.agent);
    expect([page.status, page.url.startsWith(gatehouse.baseUrl)]).toEqual([403, true]);
    expect(new URL((await open('acme', { prompt: 'none' }, stranger.agent)).url).searchParams.get('error')).toBe('access_denied');
    await suspend(gatehouse, { organizationId: acme });
    expect((await open('acme')).status).toBe(403);
    await suspend(gatehouse, { organizationId: acme }, false);
  });

  test('leads nowhere for a handle that nobody has, or somebody of another environment', async () => {
    const other = await prisma().environment.findFirstOrThrow({ where: { id: { not: environmentId } } });
    await prisma().organization.create({
      data: { environmentId: other.id, id: `org_${'f'.repeat(32)}`, name: 'Foreign', handle: 'foreign' },
    });
    const [missing, foreign] = [await open('nobody'), await open('foreign')];
    for (const page of [
      missing,
      foreign,
      await open('foreign', { prompt: 'none' }),
      await open('foreign', {}, userAgent(gatehouse.baseUrl)),
    ])
      expectRefused(page);
    const words = ({ html }: PageView) => html.replace(/<p class="reference">.*?<\/p>/s, '').replace(/nonce="[^"]*"/g, '');
    expect(words(foreign)).toBe(words(missing));
  });

  test('of one organization gets no answer for another, nor for one that is yet to be made', async () => {
    for (const parameters of [
      { org_code: beta },
      { org_code: beta, prompt: 'none' },
      { org_code: `org_${'e'.repeat(32)}` },
      { is_create_org: 'true', org_name: 'New' },
    ])
      expectRefused(await open('acme', parameters));
    const pushed = await postForm(`${issuer()}/oauth2/par`, request('acme', { org_code: beta }).query);
    expect([pushed.status, pushed.body?.['error']]).toEqual([400, 'invalid_request']);
  });

  test.each([
    '{organization.handle}',
    'acme.beta',
    'evil.test/acme',
    'evil.test\\',
    'evil.test#',
    'evil.test?',
    'evil.test@acme',
    'acme%2e',
    'acme%2f',
    'ACME',
    '*',
    'acme,beta',
    ' acme',
    'acme\t',
    'acme\0',
    'xacme',
  ])('that is no handle leads nowhere: %j', async (handle) => expectRefused(await open(handle)));

  test('is exchanged where it was sent, and nowhere else', async () => {
    const answer = await authorize('acme');
    const form = codeForm(gatehouse, answer, 'spa', { redirect_uri: callbackOf('beta') });
    expect((await postForm(`${issuer()}/oauth2/token`, form)).body?.['error']).toBe('invalid_grant');
  });

  test('follows a handle that is changed or given on, at once', async () => {
    const query = 'mutation ($input: UpdateOrganizationInput!) { updateOrganization(input: $input) { errors { code } } }';
    const rename = async (organizationId: string, handle: string) =>
      expect(await ask(gatehouse, await machineToken(gatehouse), query, { input: { organizationId, handle } })).toMatchObject({
        data: { updateOrganization: { errors: [] } },
      });
    expect((await open('acme')).url).toMatch(/^https:/);
    await rename(acme, 'acme-two');
    expectRefused(await open('acme'));
    await rename(beta, 'acme');
    expect(decodeJwt((await tokens(await authorize('acme'))).body.access_token)['org_code']).toBe(beta);
    await rename(beta, 'beta');
    await rename(acme, 'acme');
  });

  test('that is registered for everybody besides is for everybody', async () => {
    const { callbackUrls } = await prisma().application.findFirstOrThrow({ where: { id: `app_${gatehouse.application('spa').clientId}` } });
    await register({ callbackUrls: [...callbackUrls, 'https://pr-*.app.acme.test/callback'] });
    expect(headingOf(await open('pr-7'))).toBe('Choose an organization');
    expect((await authorize('pr-7', { org_code: beta })).code).toBeTruthy();
    expectRefused(await open('acme', { org_code: beta }));
    await register({ callbackUrls });
  });
});

describe('a page of an organization', () => {
  const origin = (handle: string) => `https://${handle}.app.acme.test`;

  test('may call with credentials, and no other', async () => {
    for (const [from, isAllowed] of [
      [origin('acme'), true],
      [origin('nobody'), false],
      [origin('foreign'), false],
      [origin('{organization.handle}'), false],
      ['https://acme.evil.test', false],
      ['http://acme.app.acme.test', false],
    ] as const) {
      const { headers } = await fetch(`${issuer()}/oauth2/token`, { method: 'OPTIONS', headers: { origin: from } });
      expect(headers.get('access-control-allow-origin')).toBe(isAllowed ? from : null);
    }
  });

  test('refreshes by the browser’s cookie what is its organization’s, and nothing else', async () => {
    const answer = await tokens(await authorize('acme'), { origin: origin('acme') });
    const cookie = answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    expect(cookie).toContain('refresh_token=');
    const form = { grant_type: 'refresh_token', client_id: gatehouse.application('spa').clientId };
    const refresh = (from: string) => postForm(`${issuer()}/oauth2/token`, form, { origin: from, cookie });
    for (const from of [origin('beta'), origin('nobody'), 'https://evil.test']) {
      const { status, body, headers } = await refresh(from);
      expect([status, body?.['error'], headers.getSetCookie()]).toEqual([400, 'invalid_request', []]);
    }
    expect((await refresh(origin('acme'))).status).toBe(200);
  });
});

test('a sign-out leads to an organization’s page, and to none of anybody else', async () => {
  const leave = (handle: string) =>
    person.agent.open(`${issuer()}/logout?${new URLSearchParams({ redirect: `https://${handle}.app.acme.test/bye` })}`);
  for (const handle of ['nobody', 'foreign', '{organization.handle}', 'evil.test/acme', 'a.acme'])
    expect((await leave(handle)).url).toMatch(new RegExp(`^${gatehouse.baseUrl}/`));
  expect((await leave('acme')).url).toBe('https://acme.app.acme.test/bye');
});

describe('a login URI', () => {
  test('is the one of the handle that a person came with; without a handle there is none', async () => {
    const agent = userAgent(gatehouse.baseUrl);
    const [own, everybodys] = [await open('acme', {}, agent), await agent.open(requestOf(gatehouse, 'spa').url)];
    gatehouse.advance(24 * 3600);
    expect((await agent.open(own.url)).url).toBe('https://acme.app.acme.test/login');
    const page = await agent.open(everybodys.url);
    expect(page.url).toBe(everybodys.url);
    expect(page.html).not.toContain('organization.handle');
  });

  test('is the one of the organization that invites', async () => {
    const invitationApplicationId = `app_${gatehouse.application('spa').clientId}`;
    await prisma().environment.update({ where: { id: environmentId }, data: { allowInvitations: true, invitationApplicationId } });
    const without = await organization(gatehouse, 'Nameless');
    const query = `mutation ($input: CreateOrganizationInvitationInput!) {
      createOrganizationInvitation(input: $input) { inviteLink errors { code } } }`;
    const invite = async (organizationId: string) =>
      (await ask(gatehouse, await machineToken(gatehouse), query, { input: { organizationId, email: 'new@mail.test' } })).data;
    expect(await invite(beta)).toMatchObject({
      createOrganizationInvitation: {
        inviteLink: expect.stringMatching(/^https:\/\/beta\.app\.acme\.test\/login\?invitation_code=/),
        errors: [],
      },
    });
    expect(await invite(without)).toMatchObject({
      createOrganizationInvitation: { inviteLink: null, errors: [{ code: 'INVITATIONS_OFF' }] },
    });
  });
});
