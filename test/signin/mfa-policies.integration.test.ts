/** Who is asked for a second factor: by the environment's policy, an organization's, its exempt roles, and a business's for its team. */
import { beforeEach, describe, expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { codeIn, startApp } from '../helpers/app.ts';
import { authenticator, ceremonyOf } from '../helpers/authenticator.ts';
import { ask } from '../helpers/graph.ts';
import { authorizationUrl } from '../helpers/user-agent.ts';
import { headingOf, isSignedIn, newAddress, organization, requestOf, signIn, signUp, userIdOf } from './person.ts';
import {
  giveRole,
  keyOn,
  mfaPolicy,
  newAgent,
  newPerson,
  nextStep,
  ownerToken,
  personWithApp,
  setUpApp,
  strictOrganization,
  typeAppCode,
} from './second-factor.ts';

const gatehouse = startApp();
const OFFER = 'Add a second step';
const APP = 'Set up your authenticator app';
const CHALLENGE = 'Prove that it is you';
const prisma = () => gatehouse.app.infrastructure.database.prisma;

beforeEach(() => mfaPolicy(gatehouse, 'OFF'));

describe('the environment', () => {
  test('asks nobody, unless it says so', async () => {
    const { email } = await newPerson(gatehouse);
    expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
  });

  test('that requires it asks who signs up and who signs in, and lets nobody refuse', async () => {
    const { email } = await newPerson(gatehouse);
    await mfaPolicy(gatehouse, 'REQUIRED');
    const { agent, page } = await signIn(gatehouse, email);
    expect(headingOf(page)).toBe(APP);
    expect(page.html).not.toContain('mfa_decline');
    // A form that the page does not show does what the page's do not either.
    const forged = { ...page, html: page.html.replace('/mfa_confirm"', '/mfa_decline"') };
    expect(headingOf(await agent.submit(forged, 'mfa_decline'))).toBe(APP);
    await expect(signUp(gatehouse)).rejects.toThrow(APP);
    expect(isSignedIn((await setUpApp(gatehouse, agent, await agent.open(page.url))).page)).toBe(true);
  });

  test('that offers it takes no for an answer, until an administrator resets it', async () => {
    const { email, userId } = await newPerson(gatehouse);
    await mfaPolicy(gatehouse, 'OPTIONAL');
    const { agent, page } = await signIn(gatehouse, email);
    expect(headingOf(page)).toBe(OFFER);
    expect(isSignedIn(await agent.submit(page, 'mfa_decline'))).toBe(true);
    expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
    await resetMfa(userId);
    expect(headingOf((await signIn(gatehouse, email)).page)).toBe(OFFER);
    expect(await actionsAbout(userId)).toEqual(['user.mfa_declined', 'user.mfa_reset']);
  });

  test('that offers it asks whoever has set one up', async () => {
    const { email } = await newPerson(gatehouse);
    await mfaPolicy(gatehouse, 'OPTIONAL');
    const { agent, page } = await signIn(gatehouse, email);
    const app = await agent.submit(page, 'mfa_accept');
    expect([headingOf(app), app.html.includes('mfa_decline')]).toEqual([APP, true]);
    expect(isSignedIn((await setUpApp(gatehouse, agent, app)).page)).toBe(true);
    const again = await signIn(gatehouse, email);
    expect(headingOf(again.page)).toBe(CHALLENGE);
    expect(again.page.html).not.toContain('mfa_decline');
  });

  test('asks whoever has second thoughts about setting one up no further', async () => {
    const { email } = await newPerson(gatehouse);
    await mfaPolicy(gatehouse, 'OPTIONAL', ['EMAIL', 'AUTHENTICATOR_APP']);
    const { agent, page } = await signIn(gatehouse, email);
    const choice = await agent.submit(page, 'mfa_accept');
    expect(headingOf(choice)).toBe('Choose a second step');
    const app = await agent.submit(choice, 'mfa_choose', { p_factor: 'authenticator_app' });
    expect(isSignedIn(await agent.submit(app, 'mfa_decline'))).toBe(true);
    expect(await prisma().mfaFactor.count({ where: { userId: await userIdOf(gatehouse, email) } })).toBe(0);
  });

  test('counts only factors that it allows: of others it wants a new one, from who has proved the old one', async () => {
    const { email, agent, key } = await personWithApp(gatehouse);
    await mfaPolicy(gatehouse, 'REQUIRED', ['EMAIL']);
    const elsewhere = await signIn(gatehouse, email);
    expect(headingOf(elsewhere.page)).toBe(CHALLENGE);
    expect(headingOf(await typeAppCode(gatehouse, elsewhere.agent, elsewhere.page, key))).toBe('Codes by email');
    expect(headingOf(await agent.open(requestOf(gatehouse, 'spa').url))).toBe('Codes by email');
  });
});

describe('a session', () => {
  test('with the second factor is not asked again, and one without it is, before anything silent', async () => {
    const { email } = await newPerson(gatehouse);
    const { agent } = await signIn(gatehouse, email);
    await mfaPolicy(gatehouse, 'REQUIRED');
    const silent = await agent.open(requestOf(gatehouse, 'spa', { prompt: 'none' }).url);
    expect(new URL(silent.url).searchParams.get('error')).toBe('login_required');
    const { page } = await setUpApp(gatehouse, agent, await agent.open(requestOf(gatehouse, 'spa').url));
    expect(isSignedIn(page)).toBe(true);
    for (const parameters of [{ prompt: 'none' }, {}])
      expect(isSignedIn(await agent.open(requestOf(gatehouse, 'spa', parameters as Record<string, string>).url))).toBe(true);
  });

  test('is asked for it anew when it has to sign in anew', async () => {
    const { agent, email } = await personWithApp(gatehouse);
    const { page } = await signIn(gatehouse, email, { agent, parameters: { prompt: 'login' } });
    expect(headingOf(page)).toBe(CHALLENGE);
  });

  test('that was not offered it is not disturbed where no page is wanted', async () => {
    const { email } = await newPerson(gatehouse);
    const { agent } = await signIn(gatehouse, email);
    await mfaPolicy(gatehouse, 'OPTIONAL');
    expect(isSignedIn(await agent.open(requestOf(gatehouse, 'spa', { prompt: 'none' }).url))).toBe(true);
    expect(headingOf(await agent.open(requestOf(gatehouse, 'spa').url))).toBe(OFFER);
  });

  test('counts no more once an administrator has reset the factor', async () => {
    const { agent, userId } = await personWithApp(gatehouse);
    await resetMfa(userId);
    expect(headingOf(await agent.open(requestOf(gatehouse, 'spa').url))).toBe(APP);
  });
});

test('a passkey is a factor like any other, unless the environment takes it for two', async () => {
  const passkeys = async (data: object) => {
    await prisma().environment.updateMany({ where: { isPrimary: true }, data });
    gatehouse.app.infrastructure.lookups.forget();
  };
  const { email } = await newPerson(gatehouse);
  await passkeys({ passkeyPolicy: 'optional', isPasskeyMultiFactor: false });
  const { agent, page } = await signIn(gatehouse, email);
  const { credential, answer } = authenticator(gatehouse.baseUrl).create(ceremonyOf(page.html));
  expect(isSignedIn(await agent.submit(page, 'passkey', { p_passkey: answer }))).toBe(true);
  await mfaPolicy(gatehouse, 'REQUIRED');
  const come = async () => {
    const browser = newAgent(gatehouse);
    const first = await browser.open(requestOf(gatehouse, 'spa').url);
    return browser.submit(first, 'passkey', { p_passkey: credential.sign(ceremonyOf(first.html)) });
  };
  expect(headingOf(await come())).toBe(APP);
  await passkeys({ isPasskeyMultiFactor: true });
  expect(isSignedIn(await come())).toBe(true);
  // Who has a passkey and types the password has proved one factor.
  expect(headingOf((await signIn(gatehouse, email)).page)).toBe(APP);
  await passkeys({ passkeyPolicy: 'off', isPasskeyMultiFactor: false });
});

test('nobody makes a passkey, which may count for two factors, before the second one is proved', async () => {
  const { email } = await newPerson(gatehouse);
  await prisma().environment.updateMany({ where: { isPrimary: true }, data: { passkeyPolicy: 'mandatory', isPasskeyMultiFactor: true } });
  await mfaPolicy(gatehouse, 'REQUIRED');
  const { agent, page } = await signIn(gatehouse, email);
  expect(headingOf(page)).toBe(APP);
  expect((await setUpApp(gatehouse, agent, page)).page.html).toContain('data-passkey="create"');
  await prisma().environment.updateMany({ where: { isPrimary: true }, data: { passkeyPolicy: 'off', isPasskeyMultiFactor: false } });
});

describe('an organization', () => {
  test('that requires it asks its members, also who switches to it; the factor is for it alone', async () => {
    const { email, userId } = await newPerson(gatehouse);
    const plain = await organization(gatehouse, 'Plain', { members: [userId] });
    const strict = await strictOrganization(gatehouse, 'Strict', [userId], { mfaPolicy: 'required', mfaFactors: ['authenticator_app'] });
    const { agent, page } = await signIn(gatehouse, email, { parameters: { org_code: plain } });
    expect(isSignedIn(page)).toBe(true);
    const silent = await agent.open(requestOf(gatehouse, 'spa', { org_code: strict, prompt: 'none' }).url);
    expect(new URL(silent.url).searchParams.get('error')).toBe('login_required');
    const switched = await agent.open(requestOf(gatehouse, 'spa', { org_code: strict }).url);
    expect(headingOf(switched)).toBe(APP);
    expect(isSignedIn((await setUpApp(gatehouse, agent, switched)).page)).toBe(true);
    expect(isSignedIn(await agent.open(requestOf(gatehouse, 'spa', { org_code: strict, prompt: 'none' }).url))).toBe(true);
    expect(await prisma().mfaFactor.findMany({ where: { userId } })).toMatchObject([{ organizationId: strict, type: 'authenticator_app' }]);

    await mfaPolicy(gatehouse, 'REQUIRED');
    expect(headingOf(await agent.open(requestOf(gatehouse, 'spa', { org_code: plain }).url))).toBe(APP);
    nextStep(gatehouse);
    expect(headingOf((await signIn(gatehouse, email, { parameters: { org_code: strict } })).page)).toBe(CHALLENGE);
  });

  test('is asked for where somebody comes to it by choosing among several', async () => {
    const { email, userId } = await newPerson(gatehouse);
    await organization(gatehouse, 'Loose', { members: [userId] });
    const strict = await strictOrganization(gatehouse, 'Tight', [userId], { mfaPolicy: 'required', mfaFactors: ['authenticator_app'] });
    const { agent, page } = await signIn(gatehouse, email);
    expect(headingOf(page)).toBe('Choose an organization');
    expect(headingOf(await agent.submit(page, 'organization', { p_organization: strict }))).toBe(APP);
  });

  test.each([
    ['off', 'REQUIRED', APP, null],
    [null, 'REQUIRED', APP, null],
    ['optional', 'REQUIRED', 'Codes by email', 'own'],
    ['required', 'OPTIONAL', 'Codes by email', 'own'],
    ['optional', 'OFF', OFFER, 'own'],
    ['off', 'OFF', undefined, null],
  ] as const)('with the policy %s in an environment of %s leads to %s', async (own, environment, heading, whose) => {
    const { email, userId } = await newPerson(gatehouse);
    const id = await strictOrganization(gatehouse, 'One', [userId], { mfaPolicy: own, mfaFactors: ['email'] });
    await mfaPolicy(gatehouse, environment);
    const { page } = await signIn(gatehouse, email, { parameters: { org_code: id } });
    expect(headingOf(page)).toBe(heading);
    if (whose === null && heading === APP) expect(keyOn(page)).toMatch(/^[A-Z2-7]{32}$/);
  });

  test('has no policy of its own while it is not an advanced one', async () => {
    const { email, userId } = await newPerson(gatehouse);
    const policy = { mfaPolicy: 'required', mfaFactors: ['email'], isAdvanced: false } as const;
    const id = await strictOrganization(gatehouse, 'Former', [userId], { ...policy, mfaFactors: ['email'] });
    await giveRole(gatehouse, id, userId, 'former_exempt', true);
    expect(isSignedIn((await signIn(gatehouse, email, { parameters: { org_code: id } })).page)).toBe(true);
    await mfaPolicy(gatehouse, 'REQUIRED');
    expect(headingOf((await signIn(gatehouse, email, { parameters: { org_code: id } })).page)).toBe(APP);
  });

  test('does not ask who has only exempt roles, whatever the environment says, and asks who has another one or none', async () => {
    const { email, userId } = await newPerson(gatehouse);
    const id = await strictOrganization(gatehouse, 'Exempting', [userId], { mfaPolicy: 'required', mfaFactors: ['authenticator_app'] });
    await mfaPolicy(gatehouse, 'REQUIRED');
    const come = async () => headingOf((await signIn(gatehouse, email, { parameters: { org_code: id } })).page);
    expect(await come()).toBe(APP);
    await giveRole(gatehouse, id, userId, 'exempt_one', true);
    await giveRole(gatehouse, id, userId, 'exempt_two', true);
    expect(await come()).toBeUndefined();
    await giveRole(gatehouse, id, userId, 'not_exempt', false);
    expect(await come()).toBe(APP);
  });
});

describe('a team member', () => {
  const TEAM = graphql(`
    mutation ChangeTeamMfa($input: UpdateTeamMfaPolicyInput!) { updateTeamMfaPolicy(input: $input) { errors { code } business { id } } }
  `);

  async function member(businessId: string, roles: string[]) {
    const email = newAddress('member');
    const account = await prisma().environment.findFirstOrThrow({ where: { kind: 'account' } });
    const { clientId, callbackUrls } = gatehouse.quickstart.account.applications[0]!;
    const url = () => authorizationUrl({ issuer: gatehouse.quickstart.account.issuer, clientId, redirectUri: callbackUrls[0]! }).url;
    const id = `kp_${email.replace(/\D/g, '').padStart(32, '0')}`;
    await prisma().user.create({ data: { environmentId: account.id, id } });
    await prisma().identity.create({
      data: {
        environmentId: account.id,
        id: `identity_${id}`,
        userId: id,
        type: 'email',
        value: email,
        normalized: email,
        isVerified: true,
      },
    });
    await prisma().teamMember.create({ data: { businessId, id: `team_${id}`, accountEnvironmentId: account.id, userId: id, roles } });
    const come = async (agent = newAgent(gatehouse)) => {
      const after = await gatehouse.mailCount(email);
      const asked = await agent.submit(await agent.open(url()), 'identify', { p_email: email });
      const page = await agent.submit(asked, 'code', { p_confirmation_code: codeIn(await gatehouse.mailTo(email, { after })) });
      return { agent, page };
    };
    return { come, userId: id, url };
  }

  async function teamPolicy(businessId: string, data: { mfaPolicy: string; mfaRoles?: string[]; mfaFactors: string[] }) {
    await prisma().teamPolicy.deleteMany({ where: { businessId } });
    await prisma().teamPolicy.create({ data: { businessId, ...data } });
  }

  test('is asked by the business’s policy: everybody, or who has one of the roles', async () => {
    const { id: businessId } = await prisma().business.findFirstOrThrow({ where: { environments: { some: { isPrimary: true } } } });
    await prisma().business.updateMany({ where: { id: businessId }, data: { plan: 'scale' } });
    const token = await ownerToken(gatehouse);
    const engineer = await member(businessId, ['engineer']);
    const finance = await member(businessId, ['finance']);
    const change = { businessId, policy: 'ROLES' as const, roles: ['ENGINEER' as const], factors: ['AUTHENTICATOR_APP' as const] };
    const { data } = await ask(gatehouse, token, TEAM, { input: change });
    expect(data?.updateTeamMfaPolicy?.errors).toEqual([]);
    const { agent, page } = await engineer.come();
    expect(headingOf(page)).toBe(APP);
    const { key, page: kept } = await setUpApp(gatehouse, agent, page);
    const done = await agent.submit(kept, 'mfa_kept');
    expect(new URL(done.url).searchParams.get('code')).toBeTruthy();
    expect(headingOf((await finance.come()).page)).toBeUndefined();
    nextStep(gatehouse);
    const again = await engineer.come();
    expect(headingOf(again.page)).toBe(CHALLENGE);
    expect(new URL((await typeAppCode(gatehouse, again.agent, again.page, key)).url).searchParams.get('code')).toBeTruthy();

    await teamPolicy(businessId, { mfaPolicy: 'everyone', mfaFactors: ['authenticator_app'] });
    expect(headingOf((await finance.come()).page)).toBe(APP);
    await prisma().teamPolicy.deleteMany({ where: { businessId } });
  });

  test('of several businesses is asked for what all of them take, or the strongest: no business weakens another', async () => {
    const first = await prisma().business.create({
      data: { id: 'biz_00000000000000000000000000000001', name: 'First', region: 'eu', plan: 'scale' },
    });
    const second = await prisma().business.create({
      data: { id: 'biz_00000000000000000000000000000002', name: 'Second', region: 'eu', plan: 'scale' },
    });
    const both = await member(first.id, ['admin']);
    const account = await prisma().environment.findFirstOrThrow({ where: { kind: 'account' } });
    await prisma().teamMember.create({
      data: { businessId: second.id, id: `${both.userId}2`, accountEnvironmentId: account.id, userId: both.userId, roles: ['admin'] },
    });
    await teamPolicy(first.id, { mfaPolicy: 'everyone', mfaFactors: ['email', 'authenticator_app'] });
    expect(headingOf((await both.come()).page)).toBe('Choose a second step');
    await teamPolicy(second.id, { mfaPolicy: 'everyone', mfaFactors: ['email'] });
    gatehouse.advance(31);
    expect(headingOf((await both.come()).page)).toBe('Codes by email');
    await teamPolicy(first.id, { mfaPolicy: 'everyone', mfaFactors: ['authenticator_app'] });
    gatehouse.advance(31);
    expect(headingOf((await both.come()).page)).toBe(APP);
  });
});

const RESET = graphql(`
  mutation ResetMfa($input: ResetUserMfaInput!) { resetUserMfa(input: $input) { errors { message } user { id } } }
`);

async function resetMfa(userId: string): Promise<void> {
  const token = await ownerToken(gatehouse);
  const { data } = await ask(gatehouse, token, RESET, { input: { userId } });
  expect(data?.resetUserMfa).toMatchObject({ errors: [], user: { id: userId } });
}

async function actionsAbout(targetId: string): Promise<string[]> {
  const rows = await prisma().auditEvent.findMany({ where: { targetId, action: { contains: 'mfa' } }, orderBy: { id: 'asc' } });
  return rows.map(({ action }) => action);
}
