/** Signing up, and signing in by a code: the way of a person who does everything right, and of one who mistypes. */
import { decodeJwt } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import { userAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  choosePassword,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  organization,
  PASSWORD,
  problemOf,
  productionEnvironment,
  requestOf,
  signIn,
  signInByCode,
  signUp,
  suspend,
  typeAnyCode,
  typeCode,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
const newAgent = () => userAgent(gatehouse.baseUrl);

/** The back-end application signs people in by codes, the single-page application by passwords. */
beforeAll(() => signInByCode(gatehouse, 'reg'));

test('a person signs up with a mailed code and a password, and then signs in with the password', async () => {
  const email = newAddress('Jane');
  const agent = newAgent();
  const request = requestOf(gatehouse, 'spa', { prompt: 'create' });
  const first = await agent.open(request.url);
  expect(headingOf(first)).toBe('Create your account');
  const code = await agent.submit(first, 'identify', { p_email: email, p_first_name: 'Jane', p_last_name: 'Roe' });
  expect([headingOf(code), code.html.includes(email)]).toEqual(['Check your mail', true]);
  const choose = await typeCode(gatehouse, agent, code, email);
  expect(headingOf(choose)).toBe('Choose a password');
  const done = await choosePassword(agent, choose);
  expect(isSignedIn(done)).toBe(true);
  const claims = decodeJwt((await exchange(gatehouse, answerOf(done, request))).body['id_token']);
  expect(claims).toMatchObject({ email, email_verified: true, given_name: 'Jane', family_name: 'Roe' });

  const again = await signIn(gatehouse, email);
  expect(isSignedIn(again.page)).toBe(true);
  expect(decodeJwt((await exchange(gatehouse, answerOf(again.page, again.request))).body['id_token']).sub).toBe(claims.sub);
  expect(await gatehouse.mailCount(email)).toBe(1);
});

test('a person signs up and signs in by codes alone where the application has it so', async () => {
  const email = newAddress();
  const [there, here] = [newAgent(), newAgent()];
  const up = await identify(gatehouse, there, email, { prompt: 'create' }, 'reg');
  const signedUp = await typeCode(gatehouse, there, up.page, email);
  const back = await identify(gatehouse, here, email, {}, 'reg');
  expect(headingOf(back.page)).toBe('Check your mail');
  const signedIn = await typeCode(gatehouse, here, back.page, email, 1);
  const subjects = [answerOf(signedUp, up.request), answerOf(signedIn, back.request)].map(
    async (answer) => decodeJwt((await exchange(gatehouse, answer, 'reg')).body['id_token']).sub,
  );
  expect(new Set(await Promise.all(subjects)).size).toBe(1);
});

test('the mail has the code, says what it is for, and keeps it out of the subject', async () => {
  const email = newAddress();
  await identify(gatehouse, newAgent(), email, { prompt: 'create' });
  const mail = await gatehouse.mailTo(email);
  expect(mail.text).toMatch(/finish signing up for Acme app/);
  expect(mail.html).toContain(codeIn(mail));
  expect(mail.subject).not.toContain(codeIn(mail));
});

test('a new person joins the default organization, and the tokens are for it', async () => {
  const { first } = await signUp(gatehouse);
  const { body } = await exchange(gatehouse, first);
  expect(decodeJwt(body['id_token'])['org_codes']).toEqual([decodeJwt(body['access_token'])['org_code']]);
});

test('an unknown address gets the page that says so, and from there an account', async () => {
  const email = newAddress();
  const agent = newAgent();
  const { page, request } = await identify(gatehouse, agent, email);
  expect(headingOf(page)).toBe('Account not found');
  expect(await gatehouse.mailCount(email)).toBe(0);
  const create = await agent.submit(page, 'switch', { flow: 'register' });
  expect(headingOf(create)).toBe('Create your account');
  expect(create.html).toContain(`value="${email}"`);
  const code = await agent.submit(create, 'identify', { p_email: email });
  const done = await choosePassword(agent, await typeCode(gatehouse, agent, code, email));
  expect((await exchange(gatehouse, answerOf(done, request))).status).toBe(200);
});

test.each([
  '',
  ' ',
  'jane',
  'jane@',
  '@mail.test',
  'jane@mail',
  'jane mail@mail.test',
  'a@b@mail.test',
  `${'x'.repeat(250)}@mail.test`,
  'jane@mail.test\r\nBcc: all@mail.test',
  '"><b>@mail.test',
])('the address %j is refused beside its field, with what was typed still there', async (email) => {
  const agent = newAgent();
  for (const prompt of ['login', 'create']) {
    const { page } = await identify(gatehouse, agent, email, { prompt });
    expect(page.status).toBe(422);
    expect(problemOf(page)).toMatch(/email address/);
    expect(page.html).toMatch(/name="p_email"[^>]*aria-invalid="true"/);
    expect(page.html).not.toContain('<b>');
  }
});

test('an address is one whatever its case and the space around it', async () => {
  const { email } = await signUp(gatehouse, { email: newAddress('Mixed.Case') });
  expect(isSignedIn((await signIn(gatehouse, ` ${email.toUpperCase()} `)).page)).toBe(true);
  expect(isSignedIn((await signIn(gatehouse, email.toLowerCase())).page)).toBe(true);
});

test('who signs up with an address that has an account comes into that account, by proving the address', async () => {
  const { email } = await signUp(gatehouse);
  const agent = newAgent();
  const { page, request } = await identify(gatehouse, agent, email, { prompt: 'create' });
  const done = await typeCode(gatehouse, agent, page, email, 1);
  const { body } = await exchange(gatehouse, answerOf(done, request));
  expect(decodeJwt(body['id_token']).sub).toBe(await userIdOf(gatehouse, email));
});

test('two windows that sign up with one address make one account, one after the other or at once', async () => {
  for (const mode of ['in a row', 'at once']) {
    const email = newAddress(mode.replaceAll(' ', '-'));
    const windows = await Promise.all(
      [newAgent(), newAgent()].map(async (agent) => ({ agent, ...(await identify(gatehouse, agent, email, { prompt: 'create' }, 'reg')) })),
    );
    await gatehouse.mailTo(email, { after: 1 });
    const finish = ({ agent, page }: (typeof windows)[number]) => typeAnyCode(gatehouse, agent, page, email);
    const ends = mode === 'at once' ? await Promise.all(windows.map(finish)) : [await finish(windows[0]!), await finish(windows[1]!)];
    const subjects = await Promise.all(
      ends.map(async (end, index) => (await exchange(gatehouse, answerOf(end, windows[index]!.request), 'reg')).body['id_token']),
    );
    expect(new Set(subjects.map((token) => decodeJwt(token).sub))).toEqual(new Set([await userIdOf(gatehouse, email)]));
  }
});

test('names are kept as text, cut to what is sensible, and optional', async () => {
  for (const [typed, kept] of [
    ['<b>Jane</b>', '<b>Jane</b>'],
    ['  Jürgen  ', 'Jürgen'],
    ['Jane\u0000\u0007\nRoe', 'Jane  Roe'],
    ['x'.repeat(500), 'x'.repeat(100)],
    ['', undefined],
  ]) {
    const email = newAddress();
    const agent = newAgent();
    const request = requestOf(gatehouse, 'reg', { prompt: 'create' });
    const page = await agent.submit(await agent.open(request.url), 'identify', { p_email: email, p_first_name: typed! });
    const done = await typeCode(gatehouse, agent, page, email);
    const { body } = await exchange(gatehouse, answerOf(done, request), 'reg');
    expect(decodeJwt(body['id_token'])['given_name']).toBe(kept);
  }
});

test('where signing up is closed nobody signs up, and nobody is mailed', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { id } = await productionEnvironment(gatehouse);
  const { email: known } = await signUp(gatehouse);
  await prisma.environment.update({ where: { id }, data: { allowSelfSignUp: false } });
  gatehouse.app.infrastructure.lookups.forget();
  try {
    const stranger = newAddress();
    const { page } = await identify(gatehouse, newAgent(), stranger, { prompt: 'create' });
    expect([page.status, problemOf(page)]).toEqual([403, expect.stringMatching(/not open/)]);
    expect(await gatehouse.mailCount(stranger)).toBe(0);
    expect(isSignedIn((await signIn(gatehouse, known)).page)).toBe(true);
  } finally {
    await prisma.environment.update({ where: { id }, data: { allowSelfSignUp: true } });
    gatehouse.app.infrastructure.lookups.forget();
  }
});

test('a new person joins the organization that the request names, if that one is open', async () => {
  const [open, closed] = [await organization(gatehouse, 'Open', { isOpen: true }), await organization(gatehouse, 'Closed')];
  const { first } = await signUp(gatehouse, { parameters: { org_code: open } });
  expect(decodeJwt((await exchange(gatehouse, first)).body['access_token'])['org_code']).toBe(open);

  const email = newAddress();
  const agent = newAgent();
  const { page } = await identify(gatehouse, agent, email, { prompt: 'create', org_code: closed });
  const done = await choosePassword(agent, await typeCode(gatehouse, agent, page, email));
  expect([done.status, headingOf(done)]).toEqual([403, 'You are not a member of this organization']);
  expect(done.url).toContain(gatehouse.baseUrl);
});

test('a suspended person is turned away, by whichever way and however far along', async () => {
  const { email } = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, email);
  const agent = newAgent();
  const { page } = await identify(gatehouse, agent, email);
  const byCode = await identify(gatehouse, newAgent(), email, { prompt: 'create' });
  expect(headingOf(byCode.page)).toBe('Check your mail');
  await suspend(gatehouse, { userId });
  const late = await agent.submit(page, 'password', { p_password: PASSWORD });
  expect([late.status, headingOf(late)]).toEqual([403, 'This account is suspended']);
  for (const prompt of ['login', 'create']) {
    const refused = await identify(gatehouse, newAgent(), email, { prompt });
    expect([refused.page.status, problemOf(refused.page)]).toEqual([403, expect.stringMatching(/suspended/)]);
  }
});

test('an impatient person who sends the form ten times gets one mail', async () => {
  const email = newAddress();
  const agent = newAgent();
  const first = await agent.open(requestOf(gatehouse, 'spa', { prompt: 'create' }).url);
  const pages = await Promise.all(Array.from({ length: 10 }, () => agent.submit(first, 'identify', { p_email: email })));
  for (const page of pages) expect(headingOf(page)).toBe('Check your mail');
  const done = await typeCode(gatehouse, agent, pages[0]!, email);
  expect(headingOf(done)).toBe('Choose a password');
  expect(await gatehouse.mailCount(email)).toBe(1);
});
