/** An address or a number that somebody's program added to an account and that nobody proved: whoever reads its messages gets no further. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createContext } from '../../../src/features/context.ts';
import { createUserIdentity, deleteIdentity, updateIdentity } from '../../../src/features/identities/service.ts';
import { createOrganizationInvitation } from '../../../src/features/organization-invitations/service.ts';
import { createUser } from '../../../src/features/users/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { hashPassword } from '../../../src/security/passwords/passwords.ts';
import { startApp } from '../../helpers/app.ts';
import { ask } from '../../helpers/graph.ts';
import { machineToken, type PageView, type UserAgent, userAgent } from '../../helpers/user-agent.ts';
import { newNumber, setApplication, typeNumber } from '../methods.ts';
import {
  choosePassword,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  organization,
  PASSWORD,
  problemOf,
  productionEnvironment,
  requestOf,
  signUp,
  typeAnyCode,
  typeCode,
  userIdOf,
} from '../person.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const operator = () => createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });
const newAgent = () => userAgent(gatehouse.baseUrl);
const sessionsOf = (userId: string) => prisma().session.count({ where: { userId } });
const CODE = { emailSignIn: 'code', usernameSignIn: 'code', phoneSignIn: 'code' };
const BY_PASSWORD = { emailSignIn: 'password', usernameSignIn: 'password', phoneSignIn: 'off' };

const set = async (policy: object) => {
  const { id } = await productionEnvironment(gatehouse);
  await prisma().environment.update({ where: { id }, data: policy });
  gatehouse.app.infrastructure.lookups.forget();
};
beforeEach(() => setApplication(gatehouse, CODE));
afterEach(() => set({ hasEnumerationProtection: false }));

/** Adds something to sign in with to somebody's account, by a machine that may do nothing else. */
async function add(userId: string, type: 'EMAIL' | 'PHONE' | 'USERNAME', value: string): Promise<string> {
  const document = 'mutation ($input: CreateUserIdentityInput!) { createUserIdentity(input: $input) { errors { code } } }';
  const token = await machineToken(gatehouse, 'create:user_identities');
  const { data } = await ask<{ createUserIdentity: object }, object>(gatehouse, token, document, { input: { userId, type, value } });
  expect(data?.createUserIdentity).toEqual({ errors: [] });
  return value;
}

/** Somebody with an account, who signed up; and what came into it afterwards. */
async function victim(type: 'EMAIL' | 'PHONE' = 'EMAIL', value = newAddress('evil')) {
  await setApplication(gatehouse, BY_PASSWORD);
  const { email } = await signUp(gatehouse);
  await setApplication(gatehouse, CODE);
  const userId = await userIdOf(gatehouse, email);
  return { email, userId, evil: await add(userId, type, value), sessions: await sessionsOf(userId) };
}

/** Somebody who was imported: with what nobody has proved, and a password of before. */
async function imported(input: Pick<Parameters<typeof createUser>[1], 'email' | 'username' | 'phone'>): Promise<string> {
  const { id: environmentId } = await productionEnvironment(gatehouse);
  const user = await createUser(operator(), { environmentId, ...input });
  await prisma().password.create({ data: { environmentId, userId: user.id, ...(await hashPassword(PASSWORD)) } });
  return user.id;
}

async function at(first: Record<string, string>, parameters: Record<string, string> = {}) {
  const agent = newAgent();
  const page = await agent.submit(await agent.open(requestOf(gatehouse, 'spa', parameters).url), 'identify', first);
  return { agent, page };
}

describe('by a code', () => {
  test('the address finds no account, and is mailed nothing', async () => {
    const { evil, userId, sessions } = await victim();
    const { page } = await identify(gatehouse, newAgent(), evil);
    expect(headingOf(page)).toBe('Account not found');
    expect([await gatehouse.mailCount(evil), await sessionsOf(userId)]).toEqual([0, sessions]);
  });

  test('with enumeration protection it is told by mail that it has none, and no code will do', async () => {
    const { evil, userId, sessions } = await victim();
    await set({ hasEnumerationProtection: true });
    const { page } = await identify(gatehouse, newAgent(), evil);
    const nobody = newAddress('nobody');
    const { page: nobodys } = await identify(gatehouse, newAgent(), nobody);
    expect(headingOf(page)).toBe(headingOf(nobodys));
    const [mail, other] = [await gatehouse.mailTo(evil), await gatehouse.mailTo(nobody)];
    expect(mail.text.replaceAll(evil, 'ADDRESS')).toBe(other.text.replaceAll(nobody, 'ADDRESS'));
    expect(mail.text).not.toMatch(/\b\d{6}\b/);
    expect(await sessionsOf(userId)).toBe(sessions);
  });

  test.each([false, true])(
    'nor does who signs up with it get in, however many at once (enumeration protection: %s)',
    async (isProtected) => {
      const { evil, userId, sessions } = await victim();
      await set({ hasEnumerationProtection: isProtected });
      const users = await prisma().user.count();
      const rivals = await Promise.all(
        [newAgent(), newAgent(), newAgent()].map(async (agent) => ({
          agent,
          page: (await identify(gatehouse, agent, evil, { prompt: 'create' })).page,
        })),
      );
      const ends = await Promise.all(rivals.map(({ agent, page }) => typeAnyCode(gatehouse, agent, page, evil)));
      for (const end of ends)
        expect([end.status, problemOf(end)]).toEqual([409, 'This address belongs to another account. Use another one.']);
      expect([await prisma().user.count(), await sessionsOf(userId)]).toEqual([users, sessions]);
      expect(await prisma().identity.findFirstOrThrow({ where: { normalized: evil } })).toMatchObject({ userId, isVerified: false });
    },
  );

  test('neither is a number an account’s that it was added to', async () => {
    const { typed, number } = newNumber();
    const { userId, sessions } = await victim('PHONE', number);
    const login = newAgent();
    const choice = await login.open(requestOf(gatehouse, 'spa').url);
    const asked = await login.submit(choice, 'switch', { flow: 'login', identifier: 'phone' });
    expect(headingOf(await typeNumber(login, asked, typed))).toBe('Account not found');
    const agent = newAgent();
    const first = await agent.open(requestOf(gatehouse, 'spa', { prompt: 'create' }).url);
    const code = await typeNumber(agent, await agent.submit(first, 'switch', { flow: 'register', identifier: 'phone' }), typed);
    const end = await typeCode(gatehouse, agent, code, number);
    expect([end.status, problemOf(end)]).toEqual([409, 'This number belongs to another account. Use another one.']);
    expect(await sessionsOf(userId)).toBe(sessions);
  });

  test('a code for a username goes to what its person has proved, or nowhere', async () => {
    const { email, userId, evil } = await victim();
    const username = await add(userId, 'USERNAME', `Victim_${Date.now()}`);
    await prisma().identity.updateMany({ where: { userId, type: 'email' }, data: { isPrimary: false } });
    await prisma().identity.updateMany({ where: { userId, normalized: evil }, data: { isPrimary: true } });
    const { agent, page } = await at({ p_email: username });
    expect(isSignedIn(await typeCode(gatehouse, agent, page, email, 1))).toBe(true);

    const name = `Nameonly_${Date.now()}`;
    const nameless = await imported({ username: name });
    const other = await add(nameless, 'EMAIL', newAddress('evil'));
    expect(problemOf((await at({ p_email: name })).page)).toBe(
      'A code cannot reach this account. Ask the people who run this application.',
    );
    expect(headingOf((await at({ p_email: other })).page)).toBe('Account not found');
    expect([await gatehouse.mailCount(evil), await gatehouse.mailCount(other)]).toEqual([0, 0]);
  });

  test('a code that was mailed while it was the way in is none any more once another one is proved', async () => {
    const { id: environmentId } = await productionEnvironment(gatehouse);
    const first = newAddress('first');
    const { id: userId } = await createUser(operator(), { environmentId, email: first });
    const agents = [newAgent(), newAgent()];
    const pages = await Promise.all(agents.map(async (agent) => (await identify(gatehouse, agent, first)).page));
    await createUserIdentity(operator(), { userId, type: 'email', value: newAddress('proved'), isVerified: true });
    for (const end of await Promise.all(agents.map((agent, of) => typeAnyCode(gatehouse, agent, pages[of]!, first))))
      expect([end.status, headingOf(end)]).toEqual([400, 'This sign-in has expired']);
    expect(await sessionsOf(userId)).toBe(0);
  });

  test('a code of one’s own account opens no other that the address was moved to', async () => {
    const mine = await signUpByCode();
    const agent = newAgent();
    const { page } = await identify(gatehouse, agent, mine.email);
    const { userId, sessions } = await victim();
    await createUserIdentity(operator(), { userId: mine.userId, type: 'email', value: newAddress('spare') });
    const { id } = await prisma().identity.findFirstOrThrow({ where: { normalized: mine.email } });
    await deleteIdentity(operator(), { identityId: id });
    await add(userId, 'EMAIL', mine.email);
    expect((await typeCode(gatehouse, agent, page, mine.email, 1)).status).toBe(400);
    expect(await sessionsOf(userId)).toBe(sessions);
    expect(await prisma().identity.findFirstOrThrow({ where: { normalized: mine.email } })).toMatchObject({ userId, isVerified: false });
  });
});

describe('by a password', () => {
  beforeEach(() => setApplication(gatehouse, BY_PASSWORD));
  const inByPassword = async (evil: string) => {
    await setApplication(gatehouse, BY_PASSWORD);
    const agent = newAgent();
    return { agent, page: (await identify(gatehouse, agent, evil)).page };
  };

  test('no password is reset by it', async () => {
    const { evil, userId } = await victim();
    const { agent, page } = await inByPassword(evil);
    expect(headingOf(page)).toBe('Enter your password');
    const refused = await agent.submit(page, 'forgot');
    expect([refused.status, problemOf(refused)]).toEqual([
      403,
      'A code cannot reach this account. Ask the people who run this application.',
    ]);
    await prisma().user.updateMany({ where: { id: userId }, data: { isPasswordResetRequested: true } });
    expect(headingOf((await inByPassword(evil)).page)).toBe('Account not found');
    expect(await gatehouse.mailCount(evil)).toBe(0);
  });

  test('nor with enumeration protection, where it looks like nobody’s', async () => {
    const { evil, userId } = await victim();
    const nobody = newAddress('nobody');
    await set({ hasEnumerationProtection: true });
    const seen = async (address: string) => {
      const { agent, page } = await inByPassword(address);
      const wrong = await agent.submit(page, 'password', { p_password: 'something else' });
      const forgotten = await agent.submit(wrong, 'forgot');
      const mail = await gatehouse.mailTo(address);
      const pages = [page, wrong, forgotten].map((each) => [each.status, headingOf(each), problemOf(each)]);
      return { pages, mail: mail.text.replaceAll(address, 'ADDRESS') };
    };
    const look = await seen(nobody);
    expect(await seen(evil)).toEqual(look);
    expect(look.mail).not.toMatch(/\b\d{6}\b/);
    await prisma().user.updateMany({ where: { id: userId }, data: { isPasswordResetRequested: true } });
    const { agent, page } = await inByPassword(evil);
    await agent.submit(page, 'password', { p_password: PASSWORD });
    expect((await gatehouse.mailTo(evil, { after: 1 })).text).not.toMatch(/\b\d{6}\b/);
  });

  test('who knows the password gets in once the address is proved, and it is the way in from then on', async () => {
    const { evil: own, userId } = await victim();
    const { agent, page } = await inByPassword(own);
    const code = await agent.submit(page, 'password', { p_password: PASSWORD });
    expect(headingOf(code)).toBe('Check your mail');
    expect(isSignedIn(await typeCode(gatehouse, agent, code, own))).toBe(true);
    expect(await prisma().identity.findFirstOrThrow({ where: { normalized: own } })).toMatchObject({ userId, isVerified: true });
    await setApplication(gatehouse, CODE);
    const again = newAgent();
    const { page: asked } = await identify(gatehouse, again, own);
    expect(isSignedIn(await typeCode(gatehouse, again, asked, own, 1))).toBe(true);
  });

  test('who has a username and no address is asked for one of their own, which another’s word is not', async () => {
    const username = `Asked_${Date.now()}`;
    const userId = await imported({ username });
    const evil = await add(userId, 'EMAIL', newAddress('evil'));
    const { agent, page } = await at({ p_email: username });
    const provide = await agent.submit(page, 'password', { p_password: PASSWORD });
    expect(headingOf(provide)).toBe('Your email address');
    const own = newAddress('own');
    const code = await agent.submit(provide, 'provide_email', { p_email: own });
    expect(isSignedIn(await typeCode(gatehouse, agent, code, own))).toBe(true);
    expect(await gatehouse.mailCount(evil)).toBe(0);
  });

  test('and who was given their own address proves it there', async () => {
    const username = `Given_${Date.now()}`;
    const userId = await imported({ username });
    const own = await add(userId, 'EMAIL', newAddress('own'));
    const { agent, page } = await at({ p_email: username });
    const provide = await agent.submit(page, 'password', { p_password: PASSWORD });
    const code = await agent.submit(provide, 'provide_email', { p_email: own });
    expect(isSignedIn(await typeCode(gatehouse, agent, code, own))).toBe(true);
    expect(await prisma().identity.findFirstOrThrow({ where: { normalized: own } })).toMatchObject({ userId, isVerified: true });
  });
});

describe('an account in which nobody has proved anything', () => {
  const goOn = async (agent: UserAgent, page: PageView, address: string, after = 0) => typeCode(gatehouse, agent, page, address, after);

  test('is opened by the address that it was imported with, and by none that came later', async () => {
    const email = newAddress('imported');
    const { typed, number } = newNumber();
    const userId = await imported({ email, phone: number });
    const [evil, ...numbers] = [await add(userId, 'EMAIL', newAddress('evil')), newNumber()];
    await add(userId, 'PHONE', numbers[0]!.number);
    expect(headingOf((await identify(gatehouse, newAgent(), evil)).page)).toBe('Account not found');
    const phone = newAgent();
    const asked = await phone.submit(await phone.open(requestOf(gatehouse, 'spa').url), 'switch', { flow: 'login', identifier: 'phone' });
    expect(headingOf(await typeNumber(phone, asked, numbers[0]!.typed))).toBe('Account not found');
    expect(isSignedIn(await goOn(phone, await typeNumber(phone, await retry(phone, 'phone'), typed), number))).toBe(true);
  });

  test('is opened by it also where its password is forgotten', async () => {
    const email = newAddress('imported');
    const userId = await imported({ email, username: `Imported_${Date.now()}` });
    const evil = await add(userId, 'EMAIL', newAddress('evil'));
    await setApplication(gatehouse, BY_PASSWORD);
    const thief = newAgent();
    const { page: asked } = await identify(gatehouse, thief, evil);
    expect((await thief.submit(asked, 'forgot')).status).toBe(403);
    const agent = newAgent();
    const { page } = await identify(gatehouse, agent, email);
    const choose = await goOn(agent, await agent.submit(page, 'forgot'), email);
    expect(isSignedIn(await choosePassword(agent, choose, 'a loud mountain at dusk'))).toBe(true);
    expect(await gatehouse.mailCount(evil)).toBe(0);
  });

  test.each(['passkey', 'mfaFactor'] as const)('is not opened by what came after its %s', async (what) => {
    const username = `Keyed_${what}_${Date.now()}`;
    const { id: environmentId } = await productionEnvironment(gatehouse);
    const { id: userId } = await createUser(operator(), { environmentId, username });
    const row = { environmentId, id: newId(what), userId };
    if (what === 'passkey') {
      const credential = { credentialId: username, publicKey: Buffer.from('key'), counter: 0n, isSyncable: true, isBackedUp: true };
      await prisma().passkey.create({ data: { ...row, ...credential, name: 'Key' } });
    } else await prisma().mfaFactor.create({ data: { ...row, type: 'authenticator_app' } });
    const evil = await add(userId, 'EMAIL', newAddress('evil'));
    expect(headingOf((await identify(gatehouse, newAgent(), evil)).page)).toBe('Account not found');
    expect(problemOf((await at({ p_email: username })).page)).toBe(
      'A code cannot reach this account. Ask the people who run this application.',
    );
    expect(await gatehouse.mailCount(evil)).toBe(0);
  });

  test('is opened by an address that took the place of the one before', async () => {
    const { id: environmentId } = await productionEnvironment(gatehouse);
    const before = newAddress('before');
    const { id: userId } = await createUser(operator(), { environmentId, email: before, isEmailVerified: true });
    const after = await add(userId, 'EMAIL', newAddress('after'));
    const { id } = await prisma().identity.findFirstOrThrow({ where: { normalized: before } });
    await deleteIdentity(operator(), { identityId: id });
    const agent = newAgent();
    expect(isSignedIn(await goOn(agent, (await identify(gatehouse, agent, after)).page, after))).toBe(true);
  });

  test('is opened by whichever an operator says is the person’s', async () => {
    const { evil: own, userId } = await victim();
    const { id } = await prisma().identity.findFirstOrThrow({ where: { normalized: own } });
    await updateIdentity(operator(), { identityId: id, isVerified: true });
    const agent = newAgent();
    expect(isSignedIn(await goOn(agent, (await identify(gatehouse, agent, own)).page, own))).toBe(true);
    expect(await sessionsOf(userId)).toBeGreaterThan(1);
  });

  test('an added one is younger than what is there, whatever the clock says', async () => {
    const { id: environmentId } = await productionEnvironment(gatehouse);
    const email = newAddress('ahead');
    const { id: userId } = await createUser(operator(), { environmentId, email });
    await prisma().identity.updateMany({ where: { userId }, data: { createdAt: new Date(Date.now() + 3600_000) } });
    const evil = await add(userId, 'EMAIL', newAddress('evil'));
    expect(headingOf((await identify(gatehouse, newAgent(), evil)).page)).toBe('Account not found');
    expect(headingOf((await identify(gatehouse, newAgent(), email)).page)).toBe('Check your mail');
  });
});

test('an invitation that goes to it makes nobody a member by it', async () => {
  const { evil, userId, sessions } = await victim();
  const { id: invitationApplicationId } = await prisma().application.findFirstOrThrow({
    where: { id: `app_${gatehouse.application('spa').clientId}` },
  });
  await prisma().application.updateMany({ where: { id: invitationApplicationId }, data: { loginUri: 'http://localhost:8080/login' } });
  await set({ allowInvitations: true, invitationApplicationId });
  const organizationId = await organization(gatehouse, 'Invites');
  const { inviteLink } = await createOrganizationInvitation(operator(), { organizationId, email: evil });
  const code = new URL(inviteLink).searchParams.get('invitation_code')!;
  const agent = newAgent();
  const page = await agent.open(requestOf(gatehouse, 'spa', { invitation_code: code, is_invitation: 'true' }).url);
  expect(headingOf(page)).toBe('Create your account');
  const asked = await agent.submit(page, 'identify', { p_email: evil });
  const end = await typeCode(gatehouse, agent, asked, evil, 1);
  expect([end.status, problemOf(end)]).toEqual([409, 'This address belongs to another account. Use another one.']);
  expect(await prisma().membership.count({ where: { organizationId } })).toBe(0);
  expect(await sessionsOf(userId)).toBe(sessions);
});

/** Somebody who signed up without a password. */
async function signUpByCode() {
  const [agent, email] = [newAgent(), newAddress('mine')];
  const { page } = await identify(gatehouse, agent, email, { prompt: 'create' });
  expect(isSignedIn(await typeCode(gatehouse, agent, page, email))).toBe(true);
  return { email, userId: await userIdOf(gatehouse, email) };
}

/** The first page once more, in the same browser. */
async function retry(agent: UserAgent, identifier: string): Promise<PageView> {
  return agent.submit(await agent.open(requestOf(gatehouse, 'spa').url), 'switch', { flow: 'login', identifier });
}
