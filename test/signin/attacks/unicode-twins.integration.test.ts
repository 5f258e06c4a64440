/** Addresses that are written otherwise and compare as somebody else's: their mailboxes are other people's, and get into nobody's account. */
import { beforeAll, describe, expect, test } from 'vitest';
import { isEmail, isUsername } from '../../../src/features/text.ts';
import { startApp } from '../../helpers/app.ts';
import { ask } from '../../helpers/graph.ts';
import { machineToken, userAgent } from '../../helpers/user-agent.ts';
import {
  headingOf,
  identify,
  isSignedIn,
  type Kind,
  newAddress,
  problemOf,
  productionEnvironment,
  signIn,
  signInByCode,
  signUp,
  typeCode,
  userIdOf,
} from '../person.ts';

const gatehouse = startApp();
beforeAll(() => signInByCode(gatehouse, 'reg'));

const KELVIN = '\u212a';

/** An address with a k in it, and one that a browser or a database may take for the same. */
function twins(): { email: string; twin: string } {
  const email = newAddress('kim');
  return { email, twin: email.replace('k', KELVIN) };
}

test('no address holds a letter that compares as another one', () => {
  const folding: string[] = [];
  for (let point = 0x80; point <= 0x10ffff; point++) {
    const letter = String.fromCodePoint(point);
    const compared = [letter.toLowerCase(), letter.normalize('NFKC').toLowerCase(), letter.normalize('NFKD').toLowerCase()];
    if (isEmail(`a${letter}b@mail.test`) && (/^[ -~]+$/.test(compared.join('')) || letter.normalize('NFKC') !== letter))
      folding.push(letter);
  }
  expect(folding.slice(0, 5)).toEqual([]);
  for (const local of [`${KELVIN}im`, 'ma\u017fon', '\u0130da', 'i\u0307da\u0301', 'ｋim', 'e\u0301va', 'o\ufb03ce'])
    expect([local, isEmail(`${local}@mail.test`)]).toEqual([local, false]);
  for (const local of ['kim', 'éva', 'straße', '木村', 'ıda', 'оля']) expect([local, isEmail(`${local}@mail.test`)]).toEqual([local, true]);
  for (const host of [`mail.${KELVIN}test`, 'ｍail.test', 'mail．test']) expect(isEmail(`kim@${host}`)).toBe(false);
  for (const name of [`${KELVIN}im`, 'ｋim', 'ma\u017fon', '\u0130da']) expect(isUsername(name)).toBe(false);
});

describe.each<{ kind: Kind; by: string }>([
  { kind: 'reg', by: 'code' },
  { kind: 'spa', by: 'password' },
])('where people sign in by $by', ({ kind }) => {
  test.each(['', 'create'])('the twin finds nobody and is sent nothing, with prompt=%s', async (prompt) => {
    const { email, twin } = twins();
    await signUp(gatehouse, { email });
    const { page } = await identify(gatehouse, userAgent(gatehouse.baseUrl), twin, prompt ? { prompt } : {}, kind);
    expect([headingOf(page), problemOf(page)]).toEqual([prompt ? 'Create your account' : 'Sign in', 'This is not an email address.']);
    expect(await gatehouse.mailCount(twin)).toBe(0);
  });

  test('nor is it taken from a hint', async () => {
    const { email, twin } = twins();
    await signUp(gatehouse, { email });
    const { page } = await identify(gatehouse, userAgent(gatehouse.baseUrl), twin, { login_hint: twin }, kind);
    expect(problemOf(page)).toBe('This is not an email address.');
    expect(await gatehouse.mailCount(twin)).toBe(0);
  });
});

test('whatever the case it is typed in, a code goes to the address as its owner wrote it, also to reset a password', async () => {
  const email = newAddress('Kim.Case');
  await signUp(gatehouse, { email });
  const typed = email.toUpperCase();
  const agent = userAgent(gatehouse.baseUrl);
  const { page } = await identify(gatehouse, agent, typed, {}, 'reg');
  expect(page.html).toContain(typed);
  expect(page.html).not.toContain(email);
  expect(isSignedIn(await typeCode(gatehouse, agent, page, email, 1))).toBe(true);
  const forgetful = userAgent(gatehouse.baseUrl);
  const { page: asked } = await identify(gatehouse, forgetful, typed);
  await forgetful.submit(asked, 'forgot');
  await gatehouse.mailTo(email, { after: 2 });
  expect(await gatehouse.mailCount(typed)).toBe(0);
  expect(isSignedIn((await signIn(gatehouse, typed)).page)).toBe(true);
});

describe('in the graph', () => {
  const run = async (document: string, variables: Record<string, unknown>) =>
    (await ask<Record<string, unknown>, object>(gatehouse, await machineToken(gatehouse), document, variables)).data;

  test('nobody is given the twin of another’s address', async () => {
    const { email, twin } = twins();
    const { email: other } = await signUp(gatehouse);
    await signUp(gatehouse, { email });
    const userId = await userIdOf(gatehouse, other);
    expect(
      await run('mutation ($input: CreateUserIdentityInput!) { createUserIdentity(input: $input) { errors { code } } }', {
        input: { userId, type: 'EMAIL', value: newAddress('kim').replace('k', KELVIN) },
      }),
    ).toEqual({ createUserIdentity: { errors: [{ code: 'INVALID_EMAIL' }] } });
    expect(
      await run('mutation ($input: CreateUserInput!) { createUser(input: $input) { errors { code } } }', { input: { email: twin } }),
    ).toEqual({ createUser: { errors: [{ code: 'INVALID_EMAIL' }] } });
  });

  test('and nobody is found by it', async () => {
    const { email, twin } = twins();
    await signUp(gatehouse, { email });
    const { id } = await productionEnvironment(gatehouse);
    const find = (address: string) =>
      run('query ($id: ID!, $email: String!) { environment(id: $id) { users(filter: { email: $email }) { totalCount } } }', {
        id,
        email: address,
      });
    expect(await find(email.toUpperCase())).toEqual({ environment: { users: { totalCount: 1 } } });
    expect(await find(twin)).toEqual({ environment: { users: { totalCount: 0 } } });
  });
});
