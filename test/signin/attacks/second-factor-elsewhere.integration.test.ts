/** Whoever has somebody's password or mailbox alone, and would set up a second factor of their own where there is none yet. */
import { beforeEach, describe, expect, test } from 'vitest';
import { codeIn, startApp } from '../../helpers/app.ts';
import { authenticator, ceremonyOf } from '../../helpers/authenticator.ts';
import { authorizationUrl, type UserAgent } from '../../helpers/user-agent.ts';
import { headingOf, isSignedIn, newAddress, organization, requestOf, signIn } from '../person.ts';
import {
  forge,
  giveRole,
  mfaPolicy,
  newAgent,
  newPerson,
  nextStep,
  personWithApp,
  recoveryCodesOn,
  setUpApp,
  strictOrganization,
  typeAppCode,
  typeMfaCode,
} from '../second-factor.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const CHALLENGE = 'Prove that it is you';
const APP = 'Set up your authenticator app';
const EMAIL = 'Codes by email';
const ENROLMENTS: readonly [form: string, fields: Record<string, string>][] = [
  ['mfa_accept', {}],
  ['mfa_choose', { p_factor: 'email' }],
  ['mfa_address', { p_mfa_email: 'attacker@elsewhere.test' }],
  ['mfa_another', {}],
  ['mfa_confirm', { p_confirmation_code: '123456' }],
  ['mfa_decline', {}],
];

beforeEach(() => mfaPolicy(gatehouse, 'OFF'));

const factorsOf = (userId: string) => prisma().mfaFactor.findMany({ where: { userId, secret: { not: null } } });

describe('an open organization with a policy of its own', () => {
  const openOrganization = (name: string, mfaFactors: ('email' | 'authenticator_app')[]) =>
    strictOrganization(gatehouse, name, [], { mfaPolicy: 'required', mfaFactors }).then(async (id) => {
      await prisma().organization.updateMany({ where: { id }, data: { isAutoMembershipEnabled: true } });
      return id;
    });

  test.each(['email', 'authenticator_app'] as const)(
    'that takes %s asks for the factor that there is, and nothing that is posted sets one up',
    async (kind) => {
      const { email, userId } = await personWithApp(gatehouse);
      const org_code = await openOrganization(`Open ${kind}`, [kind]);
      const { agent, page } = await signIn(gatehouse, email, { parameters: { org_code } });
      expect(headingOf(page)).toBe(CHALLENGE);
      for (const [form, fields] of ENROLMENTS) expect(headingOf(await forge(agent, page, form, fields))).not.toBe(EMAIL);
      expect(isSignedIn(await agent.open(requestOf(gatehouse, 'spa', { org_code }).url))).toBe(false);
      expect(await factorsOf(userId)).toHaveLength(1);
    },
  );

  test('lets who proves it go on to set up the one that it takes, which is enough from then on', async () => {
    const { email, key, userId } = await personWithApp(gatehouse);
    const org_code = await openOrganization('Open later', ['email']);
    const { agent, page } = await signIn(gatehouse, email, { parameters: { org_code } });
    const address = await typeAppCode(gatehouse, agent, page, key);
    expect(headingOf(address)).toBe(EMAIL);
    const after = await gatehouse.mailCount(email);
    const code = await agent.submit(address, 'mfa_address', { p_mfa_email: email });
    expect(isSignedIn(await typeMfaCode(gatehouse, agent, code, email, after, 'mfa_confirm'))).toBe(true);
    expect((await factorsOf(userId)).map(({ type, organizationId }) => [type, organizationId]).sort()).toEqual([
      ['authenticator_app', null],
      ['email', org_code],
    ]);
    gatehouse.advance(61);
    const mails = await gatehouse.mailCount(email);
    const again = await signIn(gatehouse, email, { parameters: { org_code } });
    expect(headingOf(again.page)).toBe(CHALLENGE);
    expect(isSignedIn(await typeMfaCode(gatehouse, again.agent, again.page, email, mails))).toBe(true);
  });

  test('takes a recovery code of the factor that there is in its place, once', async () => {
    const { email, page: shown, agent: owner } = await personWithApp(gatehouse, true);
    const [recovery] = recoveryCodesOn(shown);
    await owner.submit(shown, 'mfa_kept');
    const org_code = await openOrganization('Open to the lost', ['email']);
    const come = async () => {
      const { agent, page } = await signIn(gatehouse, email, { parameters: { org_code } });
      return agent.submit(await agent.submit(page, 'mfa_use_recovery'), 'mfa_recovery', { p_recovery_code: recovery! });
    };
    const pages = await Promise.all([come(), come()]);
    expect(pages.map(headingOf).filter((heading) => heading === EMAIL)).toHaveLength(1);
  });

  test('is no way in for who began to set one up before there was any', async () => {
    const { email, userId } = await newPerson(gatehouse);
    const org_code = await openOrganization('Open early', ['authenticator_app']);
    const early = await signIn(gatehouse, email, { parameters: { org_code } });
    expect(headingOf(early.page)).toBe(APP);
    await mfaPolicy(gatehouse, 'REQUIRED', ['AUTHENTICATOR_APP']);
    const plain = await organization(gatehouse, 'Plain', { members: [userId] });
    const owner = await signIn(gatehouse, email, { parameters: { org_code: plain } });
    await setUpApp(gatehouse, owner.agent, owner.page);
    const { page } = await setUpApp(gatehouse, early.agent, early.page);
    expect(headingOf(page)).toBe(CHALLENGE);
    expect(await factorsOf(userId)).toHaveLength(1);
  });

  test('lets one of two who set the first factor up at once', async () => {
    const { email, userId } = await newPerson(gatehouse);
    const ids = [await openOrganization('Open first', ['authenticator_app']), await openOrganization('Open second', ['authenticator_app'])];
    const rivals = [];
    for (const org_code of ids) rivals.push(await signIn(gatehouse, email, { parameters: { org_code } }));
    const pages = await Promise.all(rivals.map(async ({ agent, page }) => (await setUpApp(gatehouse, agent, page)).page));
    expect(pages.filter(isSignedIn)).toHaveLength(1);
    expect(await factorsOf(userId)).toHaveLength(1);
  });
});

test('where a second factor is left to people, who has one elsewhere is not led to set up another unproved', async () => {
  const { email, userId } = await personWithApp(gatehouse);
  const org_code = await strictOrganization(gatehouse, 'Leaving it', [userId], { mfaPolicy: 'optional', mfaFactors: ['email'] });
  await mfaPolicy(gatehouse, 'OFF');
  const { agent, page } = await signIn(gatehouse, email, { parameters: { org_code } });
  expect(isSignedIn(page)).toBe(true);
  expect(isSignedIn(await agent.open(requestOf(gatehouse, 'spa', { org_code }).url))).toBe(true);
  expect(await factorsOf(userId)).toHaveLength(1);
});

describe('a passkey that counts for two factors', () => {
  const passkeys = async (data: object) => {
    await prisma().environment.updateMany({ where: { isPrimary: true }, data });
    gatehouse.app.infrastructure.lookups.forget();
  };
  const exempted = async (name: string) => {
    const person = await personWithApp(gatehouse);
    const org_code = await strictOrganization(gatehouse, name, [person.userId], { mfaPolicy: 'required', mfaFactors: ['email'] });
    await giveRole(gatehouse, org_code, person.userId, `exempt_${name}`, true);
    return { ...person, org_code };
  };

  test('is not offered to who has not proved the second one, though these sign-ins ask for none', async () => {
    const { email, org_code, userId } = await exempted('offering');
    await passkeys({ passkeyPolicy: 'optional', isPasskeyMultiFactor: true });
    const { agent, page } = await signIn(gatehouse, email, { parameters: { org_code } });
    expect(isSignedIn(page)).toBe(true);
    expect(await prisma().passkey.count({ where: { userId } })).toBe(0);
    await passkeys({ passkeyPolicy: 'off', isPasskeyMultiFactor: false });
    expect(isSignedIn(await agent.open(requestOf(gatehouse, 'spa', { org_code }).url))).toBe(true);
  });

  test('that everybody must have is made by who proves the second one first', async () => {
    const { email, org_code, userId, key } = await exempted('insisting');
    await passkeys({ passkeyPolicy: 'mandatory', isPasskeyMultiFactor: true });
    const { agent, page } = await signIn(gatehouse, email, { parameters: { org_code } });
    expect(headingOf(page)).toBe(CHALLENGE);
    for (const [form, fields] of [['passkey', { p_passkey: '{}' }], ['later', {}], ...ENROLMENTS] as typeof ENROLMENTS)
      expect(isSignedIn(await forge(agent, page, form, fields))).toBe(false);
    expect(await prisma().passkey.count({ where: { userId } })).toBe(0);
    const setup = await typeAppCode(gatehouse, agent, page, key);
    const { answer } = authenticator(gatehouse.baseUrl).create(ceremonyOf(setup.html));
    expect(isSignedIn(await agent.submit(setup, 'passkey', { p_passkey: answer }))).toBe(true);
    await passkeys({ passkeyPolicy: 'off', isPasskeyMultiFactor: false });
  });

  test('is not made from a page that was open before there was a second one', async () => {
    const { email, userId } = await newPerson(gatehouse);
    await passkeys({ passkeyPolicy: 'mandatory', isPasskeyMultiFactor: true });
    const { agent, page } = await signIn(gatehouse, email);
    const { answer } = authenticator(gatehouse.baseUrl).create(ceremonyOf(page.html));
    await passkeys({ passkeyPolicy: 'off' });
    await mfaPolicy(gatehouse, 'REQUIRED', ['AUTHENTICATOR_APP']);
    const owner = await signIn(gatehouse, email);
    await setUpApp(gatehouse, owner.agent, owner.page);
    await mfaPolicy(gatehouse, 'OFF');
    await passkeys({ passkeyPolicy: 'mandatory' });
    expect(headingOf(await agent.submit(page, 'passkey', { p_passkey: answer }))).toBe(CHALLENGE);
    expect(await prisma().passkey.count({ where: { userId } })).toBe(0);
    await passkeys({ passkeyPolicy: 'off', isPasskeyMultiFactor: false });
  });
});

describe('a business that a stranger invites a team member to', () => {
  const policyOf = async (businessId: string, mfaFactors: string[]) => {
    await prisma().teamPolicy.deleteMany({ where: { businessId } });
    await prisma().teamPolicy.create({ data: { businessId, mfaPolicy: 'everyone', mfaFactors } });
  };

  async function come(email: string, agent: UserAgent = newAgent(gatehouse)) {
    const { clientId, callbackUrls } = gatehouse.quickstart.account.applications[0]!;
    const { url } = authorizationUrl({ issuer: gatehouse.quickstart.account.issuer, clientId, redirectUri: callbackUrls[0]! });
    const after = await gatehouse.mailCount(email);
    const asked = await agent.submit(await agent.open(url), 'identify', { p_email: email });
    const page = await agent.submit(asked, 'code', { p_confirmation_code: codeIn(await gatehouse.mailTo(email, { after })) });
    return { agent, page };
  }

  test.each([
    ['their own takes apps alone', ['authenticator_app'], ['email']],
    ['their own takes both', ['authenticator_app', 'email'], ['email']],
  ])('asks for the app that they have, where %s', async (_case, own, strangers) => {
    const email = newAddress('member');
    const account = await prisma().environment.findFirstOrThrow({ where: { kind: 'account' } });
    const suffix = email.replace(/\D/g, '').padStart(32, '0');
    const userId = `kp_${suffix}`;
    await prisma().user.create({ data: { environmentId: account.id, id: userId } });
    await prisma().identity.create({
      data: {
        environmentId: account.id,
        id: `identity_${suffix}`,
        userId,
        type: 'email',
        value: email,
        normalized: email,
        isVerified: true,
      },
    });
    const business = async (name: string) =>
      (
        await prisma().business.create({
          data: { id: `biz_${suffix.slice(name.length)}${name}`, name, region: 'eu', plan: 'scale' },
        })
      ).id;
    const [home, strange] = [await business('home'), await business('strange')];
    await prisma().teamMember.create({
      data: { businessId: home, id: `team_${suffix}`, accountEnvironmentId: account.id, userId, roles: ['owner'] },
    });
    await policyOf(home, ['authenticator_app']);
    const first = await come(email);
    const { key } = await setUpApp(gatehouse, first.agent, first.page);
    await policyOf(home, own);
    await policyOf(strange, strangers);
    await prisma().teamInvitation.create({
      data: {
        ...{ businessId: strange, id: `inv_${suffix}`, email, normalized: email, roles: ['engineer'], tokenHash: suffix },
        ...{ expiresAt: new Date(gatehouse.app.infrastructure.clock.now().getTime() + 86_400_000) },
      },
    });
    nextStep(gatehouse);
    gatehouse.advance(61);
    const { agent, page } = await come(email);
    expect(headingOf(page)).toBe(CHALLENGE);
    expect(page.html).toContain('Type the code that your authenticator app shows.');
    for (const [form, fields] of ENROLMENTS) expect(headingOf(await forge(agent, page, form, fields))).not.toBe(EMAIL);
    expect(await factorsOf(userId)).toMatchObject([{ type: 'authenticator_app' }]);
    expect(headingOf(await typeAppCode(gatehouse, agent, page, key))).not.toBe(CHALLENGE);
  });
});
