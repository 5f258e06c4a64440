/** Invitations into organizations at the authorization endpoint: taken up once, by whom they are for, and by nobody else. */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { INVITATION_SECONDS } from '../../src/features/organization-invitations/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, type PageView, userAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  choosePassword,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  organization,
  problemOf,
  productionEnvironment,
  requestOf,
  signIn,
  signUp,
  suspend,
  typeCode,
  userIdOf,
} from '../signin/person.ts';

const gatehouse = startApp();
const newAgent = () => userAgent(gatehouse.baseUrl);
const prisma = () => gatehouse.app.infrastructure.database.prisma;
let environmentId: string;
let organizationId: string;

async function policies(data: object): Promise<void> {
  await prisma().environment.update({ where: { id: environmentId }, data });
  gatehouse.app.infrastructure.lookups.forget();
}

beforeAll(async () => {
  ({ id: environmentId } = await productionEnvironment(gatehouse));
  organizationId = await organization(gatehouse, 'Cellar');
  const { clientId } = gatehouse.application('spa');
  const loginUri = 'https://app.acme.test/login';
  await prisma().application.updateMany({ where: { id: `app_${clientId}` }, data: { loginUri } });
  await policies({ allowInvitations: true, invitationApplicationId: `app_${clientId}` });
});

interface Made {
  readonly id: string;
  readonly parameters: Record<string, string>;
}

/** An operator's machine invites; the parameters are what an application sends that was opened by the link. */
async function invite(email: string, input: object = {}): Promise<Made> {
  const { data, errors } = await ask<
    { createOrganizationInvitation: { invitation: { id: string } | null; inviteLink: string | null; errors: object[] } },
    object
  >(
    gatehouse,
    await machineToken(gatehouse),
    'mutation ($input: CreateOrganizationInvitationInput!) { createOrganizationInvitation(input: $input) { invitation { id } inviteLink errors { code } } }',
    { input: { organizationId, email, sendEmail: false, ...input } },
  );
  expect([errors, data!.createOrganizationInvitation.errors]).toEqual([[], []]);
  const { invitation, inviteLink } = data!.createOrganizationInvitation;
  const code = new URL(inviteLink!).searchParams.get('invitation_code')!;
  return { id: invitation!.id, parameters: { invitation_code: code, is_invitation: 'true' } };
}

const open = (parameters: Record<string, string>, agent = newAgent()) => agent.open(requestOf(gatehouse, 'spa', parameters).url);

async function expectUnusable(page: PageView): Promise<void> {
  expect([page.status, headingOf(page)]).toEqual([404, 'This invitation cannot be used']);
  expect(page.html).toContain('It is not known, has expired, or was used already.');
}

/** The organization's members with their roles' keys. */
async function rolesOf(email: string): Promise<string[] | undefined> {
  const userId = await userIdOf(gatehouse, email);
  const membership = await prisma().membership.findFirst({
    where: { organizationId, userId },
    include: { roles: { include: { role: true } } },
  });
  return membership?.roles.map(({ role }) => role.key);
}

describe('who has no account', () => {
  test('signs up with the names and the address of the invitation, and is a member with its roles at once', async () => {
    const email = newAddress('Invited');
    const { businessId } = await prisma().environment.findUniqueOrThrow({ where: { id: environmentId } });
    const role = { businessId, id: 'role_cellarer', key: 'cellarer', name: 'Cellarer' };
    await prisma().role.create({ data: role });
    const made = await invite(email, { firstName: 'Ida', lastName: 'Vited', roleIds: [role.id] });
    await policies({ allowSelfSignUp: false });
    const request = requestOf(gatehouse, 'spa', made.parameters);
    const agent = newAgent();
    const page = await agent.open(request.url);
    expect(headingOf(page)).toBe('Create your account');
    expect(page.html).toContain('to join Cellar');
    expect(page.html).toMatch(/name="p_first_name"[^>]* value="Ida"/);
    expect(page.html).toMatch(/name="p_last_name"[^>]* value="Vited"/);
    expect(page.html).toMatch(new RegExp(`name="p_email"[^>]* value="${email}"[^>]* readonly`));
    const typed = { p_email: email.toLowerCase(), p_first_name: 'Ida', p_last_name: 'Vited' };
    const done = await choosePassword(
      agent,
      await typeCode(gatehouse, agent, await agent.submit(page, 'identify', typed), email.toLowerCase()),
    );
    await policies({ allowSelfSignUp: true });
    const { body } = await exchange(gatehouse, answerOf(done, request));
    expect(decodeJwt(body.access_token)['org_code']).toBe(organizationId);
    expect(decodeJwt(body.id_token)).toMatchObject({ given_name: 'Ida', org_codes: [organizationId] });
    expect(await rolesOf(email)).toEqual(['cellarer']);
    await expectUnusable(await open(made.parameters));
    const audited = await prisma().auditEvent.count({ where: { action: 'organization_invitation.accepted', targetId: made.id } });
    expect(audited).toBe(1);
  });

  test('signs up with no other address, and not without an invitation where signing up is closed', async () => {
    const [email, other] = [newAddress('for'), newAddress('other')];
    const { parameters } = await invite(email);
    const { page } = await identify(gatehouse, newAgent(), other, parameters);
    expect([page.status, problemOf(page)]).toEqual([403, 'This invitation is for another email address.']);
    await policies({ allowSelfSignUp: false });
    const agent = newAgent();
    const asked = await agent.submit(await open(parameters, agent), 'identify', { p_email: email });
    await prisma().organizationInvitation.updateMany({ where: { normalized: email.toLowerCase() }, data: { revokedAt: new Date() } });
    const refused = await typeCode(gatehouse, agent, asked, email);
    await policies({ allowSelfSignUp: true });
    expect([refused.status, problemOf(refused)]).toEqual([403, expect.stringContaining('Signing up is not open here')]);
    expect(await prisma().identity.count({ where: { normalized: email.toLowerCase() } })).toBe(0);
  });
});

describe('who has an account', () => {
  test('is not given away by the link where nobody is to find out, and joins all the same', async () => {
    const [somebody, nobody] = [(await signUp(gatehouse)).email, newAddress()];
    await policies({ hasEnumerationProtection: true });
    const look = async (email: string) => {
      const { parameters } = await invite(email);
      const agent = newAgent();
      const page = await open(parameters, agent);
      const next = await agent.submit(page, 'identify', { p_email: email });
      const shown = [page, next].map(({ status, html }) => [
        status,
        html.replaceAll(email, '').replaceAll(/\/signin\/[\w-]{24}|value="[\w-]{43}"/g, ''),
      ]);
      return { agent, next, shown };
    };
    gatehouse.advance(31);
    const theirs = await look(somebody);
    expect(theirs.shown).toEqual((await look(nobody)).shown);
    const done = await typeCode(gatehouse, theirs.agent, theirs.next, somebody, 1);
    await policies({ hasEnumerationProtection: false });
    expect(isSignedIn(done)).toBe(true);
    expect(await rolesOf(somebody)).toEqual([]);
  });

  test('signs in by the invitation and is a member', async () => {
    const { email } = await signUp(gatehouse);
    const { parameters } = await invite(email);
    const { page, request, asked } = await signIn(gatehouse, email, { parameters });
    expect(headingOf(asked)).toBe('Enter your password');
    const { body } = await exchange(gatehouse, answerOf(page, request));
    expect(decodeJwt(body.access_token)['org_code']).toBe(organizationId);
    await expectUnusable(await open(parameters));
  });

  test('and is signed in confirms first: a link alone makes nobody a member', async () => {
    const person = await signUp(gatehouse);
    const { parameters } = await invite(person.email);
    const request = requestOf(gatehouse, 'spa', parameters);
    const page = await person.agent.open(request.url);
    expect(headingOf(page)).toBe('Join Cellar');
    expect(await rolesOf(person.email)).toBeUndefined();
    const silent = await person.agent.open(requestOf(gatehouse, 'spa', { ...parameters, prompt: 'none' }).url);
    expect(silent.url).toMatch(/\?code=/);
    expect(await rolesOf(person.email)).toBeUndefined();
    const { body } = await exchange(gatehouse, answerOf(await person.agent.submit(page, 'invitation'), request));
    expect(decodeJwt(body.access_token)['org_code']).toBe(organizationId);
    expect(await rolesOf(person.email)).toEqual([]);
  });

  test('and is signed in as somebody else is asked to sign in as whom it is for', async () => {
    const [invited, other] = [await signUp(gatehouse), await signUp(gatehouse)];
    const { parameters } = await invite(invited.email);
    const page = await open(parameters, other.agent);
    expect([headingOf(page), page.html]).toEqual(['Sign in', expect.stringContaining(`value="${invited.email}"`)]);
    const forced = await other.agent.submit(page, 'identify', { p_email: other.email });
    expect(problemOf(forced)).toBe('This invitation is for another email address.');
    expect(await rolesOf(other.email)).toBeUndefined();
  });
});

describe('nobody is told why', () => {
  test.each(['unknown', 'expired', 'used', 'revoked', 'foreign'])('an invitation that is %s cannot be used', async (what) => {
    const email = newAddress(what);
    const { id, parameters } = await invite(email);
    const where = { environmentId_id: { environmentId, id } };
    const change = (data: object) => prisma().organizationInvitation.update({ where, data });
    if (what === 'unknown') parameters['invitation_code'] = 'x'.repeat(43);
    if (what === 'expired') await change({ expiresAt: new Date(Date.now() - INVITATION_SECONDS) });
    if (what === 'used') await change({ acceptedAt: new Date() });
    if (what === 'revoked') await change({ revokedAt: new Date() });
    if (what === 'foreign') {
      const { account } = gatehouse.quickstart;
      await prisma().environment.updateMany({
        where: { kind: 'account' },
        data: { allowInvitations: true, invitationApplicationId: 'app_x' },
      });
      gatehouse.app.infrastructure.lookups.forget();
      const { url } = requestOf(gatehouse, 'spa', { ...parameters, client_id: account.applications[0]!.clientId });
      return expectUnusable(await newAgent().open(url.replace(gatehouse.quickstart.issuer, account.issuer)));
    }
    await expectUnusable(await open(parameters));
  });

  test('but that invitations are off, which says nothing of one', async () => {
    const { parameters } = await invite(newAddress('off'));
    await policies({ allowInvitations: false });
    const [known, unknown] = [await open(parameters), await open({ invitation_code: 'x'.repeat(43) })];
    await policies({ allowInvitations: true });
    for (const page of [known, unknown]) expect([page.status, headingOf(page)]).toEqual([403, 'Invitations are not open here']);
  });
});

describe('an invitation is used up once', () => {
  test('however many confirm it at the same time', async () => {
    const person = await signUp(gatehouse);
    const { id, parameters } = await invite(person.email);
    const pages = [await open(parameters, person.agent), await open(parameters, person.agent)];
    const ends = await Promise.all([...pages, ...pages].map((page) => person.agent.submit(page, 'invitation')));
    expect(ends.filter(isSignedIn)).toHaveLength(2);
    expect(await rolesOf(person.email)).toEqual([]);
    const accepted = { action: 'organization_invitation.accepted', targetId: id };
    expect(await prisma().auditEvent.count({ where: accepted })).toBe(1);
  });

  test('not at all by who comes too late, and not at an organization that is suspended', async () => {
    const person = await signUp(gatehouse);
    const late = await invite(person.email);
    const page = await open(late.parameters, person.agent);
    await prisma().organizationInvitation.updateMany({ where: { id: late.id }, data: { revokedAt: new Date() } });
    await expectUnusable(await person.agent.submit(page, 'invitation'));
    expect(await rolesOf(person.email)).toBeUndefined();

    const { id, parameters } = await invite(person.email);
    const again = await open(parameters, person.agent);
    await suspend(gatehouse, { organizationId });
    expect(headingOf(await person.agent.submit(again, 'invitation'))).toBe('This organization is suspended');
    await suspend(gatehouse, { organizationId }, false);
    const row = await prisma().organizationInvitation.findFirstOrThrow({ where: { id } });
    expect([row.acceptedAt, await rolesOf(person.email)]).toEqual([null, undefined]);
  });
});

test('who takes one up at an application that registered itself is still asked what that may have', async () => {
  const person = await signUp(gatehouse);
  const { parameters } = await invite(person.email);
  const spa = { where: { environmentId_id: { environmentId, id: `app_${gatehouse.application('spa').clientId}` } } };
  await prisma().application.update({ ...spa, data: { isDynamic: true } });
  gatehouse.app.infrastructure.lookups.forget();
  const next = await person.agent.submit(await open(parameters, person.agent), 'invitation');
  await prisma().application.update({ ...spa, data: { isDynamic: false } });
  gatehouse.app.infrastructure.lookups.forget();
  expect(headingOf(next)).toMatch(/^Allow /);
});
