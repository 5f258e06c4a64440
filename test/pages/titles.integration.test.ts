/** What a page is called: who cannot see it is told first that something is wrong with what they sent. */
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { type PageView, userAgent } from '../helpers/user-agent.ts';
import { identify, newAddress, problemOf, requestOf, signUp } from '../signin/person.ts';

const gatehouse = startApp();
beforeAll(async () => {
  await gatehouse.app.infrastructure.database.prisma.environment.updateMany({ data: { allowSubscriptions: true } });
  gatehouse.app.infrastructure.lookups.forget();
});

const titleOf = ({ html }: PageView) => /<title>([^<]*)<\/title>/.exec(html)?.[1];
const open = (path: string) => userAgent(gatehouse.baseUrl).open(`${gatehouse.quickstart.issuer}${path}`);
const application = () => gatehouse.application('spa').name;

test('a page that is refused for a field says so before its name, until it is right', async () => {
  const agent = userAgent(gatehouse.baseUrl);
  const page = await agent.open(requestOf(gatehouse, 'spa').url);
  expect(titleOf(page)).toBe(`Sign in – ${application()}`);
  const refused = await agent.submit(page, 'identify', { p_email: 'jane.roe' });
  expect(titleOf(refused)).toBe(`Error: Sign in – ${application()}`);
  const { email } = await signUp(gatehouse);
  expect(titleOf(await agent.submit(refused, 'identify', { p_email: email }))).toBe(`Enter your password – ${application()}`);
  expect(titleOf(await agent.open(page.url))).toBe(`Enter your password – ${application()}`);
});

test('so does one that is refused as a whole', async () => {
  const agent = userAgent(gatehouse.baseUrl);
  const { page } = await identify(gatehouse, agent, newAddress(), { prompt: 'create' });
  const refused = await agent.submit(page, 'resend');
  expect([problemOf(refused), titleOf(refused)]).toEqual([expect.stringMatching(/sent/), `Error: Enter your code – ${application()}`]);
});

test('and one that is no part of a sign-in', async () => {
  for (const { path, fields } of [
    { path: 'subscribe', fields: { p_email: 'jane.roe' } },
    { path: 'device', fields: { p_user_code: 'BCDFGHJK' } },
  ]) {
    const agent = userAgent(gatehouse.baseUrl);
    const page = await agent.open(`${gatehouse.quickstart.issuer}/${path}`);
    expect(titleOf(await agent.submit(page, path, fields))).toBe(`Error: ${titleOf(page)}`);
  }
});

test('in the language of the page, and in order where it is written from right to left', async () => {
  for (const [lang, title] of [
    ['fr', `Erreur : Se connecter – ${application()}`],
    ['he', `שגיאה: \u2068כניסה – ${application()}\u2069`],
  ] as const) {
    const agent = userAgent(gatehouse.baseUrl);
    const page = await agent.open(requestOf(gatehouse, 'spa', { lang }).url);
    expect(titleOf(await agent.submit(page, 'identify', { p_email: 'jane.roe' }))).toBe(title);
  }
});

test('a page that says that something is over is called by that', async () => {
  expect(titleOf(await open('/signin/x'))).not.toMatch(/^Error/);
});
