/** With enumeration protection a username or a number that somebody has looks like one that nobody has, on every page. */
import { beforeAll, expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import { type PageView, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import { newNumber, setApplication, typeNumber, typeTextedCode } from './methods.ts';
import { choosePassword, isSignedIn, newAddress, problemOf, productionEnvironment, requestOf, typeCode } from './person.ts';

const gatehouse = startApp();
const open = async (parameters: Record<string, string> = {}) => {
  const agent = userAgent(gatehouse.baseUrl);
  return { agent, page: await agent.open(requestOf(gatehouse, 'spa', parameters).url) };
};
const known = { username: 'Somebody', email: newAddress(), ...newNumber() };
const unknown = { username: 'Nobody-1', ...newNumber() };

beforeAll(async () => {
  await setApplication(gatehouse, { emailSignIn: 'off', usernameSignIn: 'password' });
  const name = await open({ prompt: 'create' });
  const code = await name.agent.submit(name.page, 'identify', { p_username: known.username, p_email: known.email });
  expect(isSignedIn(await choosePassword(name.agent, await typeCode(gatehouse, name.agent, code, known.email)))).toBe(true);
  await setApplication(gatehouse, { usernameSignIn: 'off', phoneSignIn: 'code' });
  const phone = await open({ prompt: 'create' });
  const done = await typeTextedCode(gatehouse, phone.agent, await typeNumber(phone.agent, phone.page, known.typed), known.number);
  expect(isSignedIn(done)).toBe(true);
  const { id } = await productionEnvironment(gatehouse);
  await gatehouse.app.infrastructure.database.prisma.environment.update({ where: { id }, data: { hasEnumerationProtection: true } });
  gatehouse.app.infrastructure.lookups.forget();
  gatehouse.advance(60);
});

/** What a page shows, but for whom it is about and the attempt's own secrets. */
function shown({ status, html }: PageView, about: readonly string[]): string {
  const secrets = [/signin\/[\w-]{24}/g, /name="csrf" value="[^"]*"/g, /nonce-[\w+/=-]+/g];
  const neutral = secrets.reduce((text, secret) => text.replace(secret, ''), html);
  return `${status} ${about.reduce((text, one) => text.replaceAll(one, '…'), neutral)}`;
}

type Way = (agent: UserAgent, page: PageView, who: typeof unknown) => Promise<PageView[]>;

async function expectAlike(way: Way, parameters: Record<string, string> = {}): Promise<void> {
  const [one, other] = await Promise.all(
    [known, unknown].map(async (who) => {
      const { agent, page } = await open(parameters);
      return (await way(agent, page, who)).map((each) => shown(each, [who.username, who.number, who.typed]));
    }),
  );
  expect(one).toEqual(other);
  expect(one!.join()).not.toContain(known.email);
}

test('by a username and a password, forgotten or not', async () => {
  await setApplication(gatehouse, { usernameSignIn: 'password', phoneSignIn: 'off' });
  await expectAlike(async (agent, page, { username }) => {
    const password = await agent.submit(page, 'identify', { p_username: username });
    const wrong = await agent.submit(password, 'password', { p_password: 'not the right one' });
    const forgot = await agent.submit(wrong, 'forgot');
    const guess = await agent.submit(forgot, 'code', { p_confirmation_code: '000000' });
    const soon = await agent.submit(guess, 'resend');
    const back = await agent.submit(soon, 'switch', { flow: 'register' });
    return [password, wrong, forgot, guess, soon, back];
  });
});

test('by signing up with a username, of which only who has proved an address is told that it is taken', async () => {
  await setApplication(gatehouse, { emailSignIn: 'off', usernameSignIn: 'password', phoneSignIn: 'off' });
  const emails = { [known.username]: newAddress(), [unknown.username]: newAddress() };
  const codes: { agent: UserAgent; code: PageView }[] = [];
  const [one, other] = await Promise.all(
    [known, unknown].map(async ({ username }) => {
      const { agent, page } = await open({ prompt: 'create' });
      const code = await agent.submit(page, 'identify', { p_username: username, p_email: emails[username]! });
      const guess = await agent.submit(code, 'code', { p_confirmation_code: '000000' });
      if (username === known.username) codes.push({ agent, code });
      return [code, guess].map((each) => shown(each, [username, emails[username]!]));
    }),
  );
  expect(one).toEqual(other);
  const [{ agent, code }] = codes as [(typeof codes)[number]];
  const told = await typeCode(gatehouse, agent, code, emails[known.username]!);
  expect(problemOf(told)).toContain('This username is taken');
});

test('by a username and a code', async () => {
  await setApplication(gatehouse, { usernameSignIn: 'code', phoneSignIn: 'off' });
  await expectAlike(async (agent, page, { username }) => {
    const code = await agent.submit(page, 'identify', { p_username: username });
    const guess = await agent.submit(code, 'code', { p_confirmation_code: '000000' });
    return [code, guess, await agent.submit(guess, 'switch', { flow: 'login' })];
  });
});

test.each(['login', 'create'])('by a number, prompt=%s', async (prompt) => {
  await setApplication(gatehouse, { usernameSignIn: 'off', phoneSignIn: 'code' });
  gatehouse.advance(3601);
  await expectAlike(
    async (agent, page, { typed, number }) => {
      const before = await gatehouse.mailCount(number);
      const code = await typeNumber(agent, page, typed);
      await gatehouse.mailTo(number, { after: before });
      const guess = await agent.submit(code, 'code', { p_confirmation_code: '000000' });
      return [code, guess, await agent.submit(guess, 'switch', { flow: prompt === 'create' ? 'register' : 'login' })];
    },
    { prompt },
  );
});

test('who reads the messages of an unknown number is told that there is no account, and has no code to sign in with', async () => {
  const nobody = newNumber();
  const { agent, page } = await open();
  await typeNumber(agent, page, nobody.typed);
  const text = await gatehouse.mailTo(nobody.number);
  expect(text.text).toContain('no account');
  expect(() => codeIn(text)).toThrow();
});
