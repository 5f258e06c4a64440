/** Being sent to somebody else's page: by no parameter, in no spelling, at no address of ours, signed in or not. */
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../../helpers/app.ts';
import { userAgent } from '../../helpers/user-agent.ts';
import { PASSWORD, requestOf, signUp } from '../person.ts';

const gatehouse = startApp();
const HOME = 'http://localhost:8080';
const CALLBACK = `${HOME}/callback`;
let person: { email: string; cookie: string; cookies: Map<string, string> };
beforeAll(async () => {
  const { email, agent } = await signUp(gatehouse);
  const { cookies } = agent;
  person = { email, cookies, cookie: [...cookies].map(([key, value]) => `${key.split(' ')[0]}=${value}`).join('; ') };
});

/** Ways to write an address that some reader of URLs takes for `evil.test`, or for a script. */
const ELSEWHERE = [
  'https://evil.test',
  'https://evil.test/callback',
  '//evil.test',
  '///evil.test',
  '////evil.test',
  'https:evil.test',
  'https:/evil.test',
  '\\\\evil.test',
  '/\\evil.test',
  '/\t/evil.test',
  '\u0000//evil.test',
  ' //evil.test',
  '%2f%2fevil.test',
  '/%09/evil.test',
  '/%5cevil.test',
  'http://localhost:8080@evil.test/callback',
  'http://localhost:8080%40evil.test/callback',
  'http://localhost:8080\\@evil.test/callback',
  'http://localhost:8080#@evil.test/callback',
  'http://localhost:8080?@evil.test/callback',
  'http://localhost:8080.evil.test/callback',
  'http://localhost:8080%2eevil.test/callback',
  'http://localhost:8080/callback//evil.test',
  'http://localhost:8080/callback?next=//evil.test',
  'http://localhost:8080/callback/../../evil.test',
  'http://evil.test:8080/callback',
  'http://evil。test/callback',
  'http://localhost:8080/callback\r\nLocation: https://evil.test',
  'javascript:location="https://evil.test"',
  'JaVaScRiPt:alert("evil.test")',
  'java\nscript:alert("evil.test")',
  'data:text/html,evil.test',
  'vbscript:evil.test',
  'blob:https://evil.test/x',
  'http://[::ffff:127.0.0.1]@evil.test/callback',
];

/** Parameters that say where to go, at some server: ours read the first four. */
const PARAMETERS = [
  'redirect_uri',
  'post_logout_redirect_uri',
  'redirect',
  'reauth_state',
  'redirect_url',
  'post_login_redirect_url',
  'initiate_login_uri',
  'target_link_uri',
  'return_to',
  'continue',
  'next',
  'url',
  'RelayState',
];
const PATHS = ['', '/logout', '/device', '/device/connected', '/oauth2/auth', '/signin/x', '/e/account/logout', '/e/account/welcome'];

/** Where an answer leads: by its headers, its links, its forms, and its policy for them. */
async function leadsTo(answer: Response): Promise<string[]> {
  const { headers } = answer;
  const written = [...(await answer.text()).matchAll(/ (?:href|src|action|content)="([^"]*)"/g)].map(([, target]) => target!);
  const said = ['location', 'refresh', 'content-security-policy'].flatMap((name) => headers.get(name) ?? []);
  return [...said, ...written];
}

/** Asks for addresses, and for what of ours they lead to, and expects that nothing leads anywhere else than back to the application. */
async function expectHome(addresses: string[], cookie = ''): Promise<void> {
  await Promise.all(
    addresses.map(async (address) => {
      const answer = await fetch(address, { redirect: 'manual', headers: { cookie } });
      expect(answer.status, address).toBeLessThan(500);
      for (const target of await leadsTo(answer)) {
        const isOwn = target.startsWith(`${gatehouse.baseUrl}/`) || target.startsWith(`${CALLBACK}?code=`);
        if (!isOwn) expect([address, target]).toEqual([address, expect.not.stringMatching(/evil|%65vil|script:|blob:|data:text/i)]);
      }
    }),
  );
}

const authorize = (parameters: Record<string, string>) => requestOf(gatehouse, 'spa', parameters).url;
const withParameter = (path: string, name: string, target: string) =>
  `${gatehouse.baseUrl}${path}?${new URLSearchParams({ [name]: target })}`;

test.each(ELSEWHERE)('to %j by a parameter that is read', async (target) => {
  const state = Buffer.from(JSON.stringify({ redirect_uri: target, login_hint: 'jane@acme.test' })).toString('base64');
  const parameters = { redirect_uri: target, redirect: target, post_logout_redirect_uri: target, reauth_state: state };
  const asked = Object.entries(parameters).map(([name, value]) => authorize({ [name]: value }));
  await expectHome(asked);
  await expectHome(asked, person.cookie);
  await expectHome(PARAMETERS.slice(0, 3).map((name) => withParameter('/logout', name, target)));
});

test('by parameters that others read, anywhere', async () => {
  for (const target of ['https://evil.test/', '//evil.test', '/\\evil.test'])
    for (const path of PATHS)
      await expectHome(
        PARAMETERS.map((name) => withParameter(path, name, target)),
        /logout/.test(path) ? '' : person.cookie,
      );
});

test('by what a form says beside its fields', async () => {
  const agent = userAgent(gatehouse.baseUrl);
  const away = Object.fromEntries(PARAMETERS.map((name) => [name, 'https://evil.test/']));
  const page = await agent.submit(await agent.open(authorize({})), 'identify', { ...away, p_email: person.email });
  expect(page.html).not.toContain('evil');
  const done = await agent.submit(page, 'password', { ...away, p_password: PASSWORD });
  expect(done.url).toMatch(`${CALLBACK}?code=`);
});

test('and who was to be sent away still comes in, and out, where the application said', async () => {
  const away = Object.fromEntries(PARAMETERS.slice(4).map((name) => [name, 'https://evil.test/']));
  const agent = userAgent(gatehouse.baseUrl);
  for (const [name, value] of person.cookies) agent.cookies.set(name, value);
  expect((await agent.open(authorize(away))).url).toMatch(`${CALLBACK}?code=`);
  expect((await agent.open(`${withParameter('/logout', 'redirect', HOME)}&next=//evil.test`)).url).toBe(`${HOME}/`);
});
