/** What an operator writes is what the pages say, in its language and nowhere else. */
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken, userAgent } from '../helpers/user-agent.ts';
import { identify, newAddress, productionEnvironment, requestOf } from './person.ts';

const gatehouse = startApp();
let token: string;
let environmentId: string;

beforeAll(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
});

type Texts = Record<string, string | null>;
async function write(language: string, texts: Texts): Promise<void> {
  const input = { environmentId, language, texts: Object.entries(texts).map(([key, text]) => ({ key, text })) };
  const { data } = await ask<{ updatePageTexts: { errors: object[] } }, object>(
    gatehouse,
    token,
    'mutation ($input: UpdatePageTextsInput!) { updatePageTexts(input: $input) { errors { message } } }',
    { input },
  );
  expect(data?.updatePageTexts).toEqual({ errors: [] });
}
const first = (lang: string) => userAgent(gatehouse.baseUrl).open(requestOf(gatehouse, 'spa', { lang }).url);

test('a text is said in its language, as text, until it is taken back', async () => {
  await write('he', { 'login.heading': '<b>שלום</b> & "all"', 'login.title': 'כניסה' });
  const { html } = await first('he');
  expect(html).toContain('<h1>&lt;b&gt;שלום&lt;/b&gt; &amp; &quot;all&quot;</h1>');
  expect(html).toContain('<title>כניסה – ');
  expect((await first('en-GB')).html).toContain('<h1>Sign in</h1>');
  await write('he', { 'login.heading': null });
  const after = (await first('he')).html;
  expect(after).not.toContain('שלום');
  expect(after).toContain('<title>כניסה – ');
});

test('what is written in English is said in every English that has no text of its own', async () => {
  await write('en', { 'login.heading': 'Hello' });
  await write('en-AU', { 'login.heading': 'G’day' });
  const heading = async (lang: string) => /<h1>(.*?)<\/h1>/.exec((await first(lang)).html)?.[1];
  expect(await Promise.all(['en', 'en-US', 'en-AU', 'de'].map(heading))).toEqual(['Hello', 'Hello', 'G’day', 'Anmelden']);
});

test('values stand in it, as in ours', async () => {
  const email = newAddress();
  await write('en', { 'not_found.lead': '{identifier}? Nobody.' });
  const { page } = await identify(gatehouse, userAgent(gatehouse.baseUrl), email);
  expect(page.html).toContain(`<strong><bdi>${email}</bdi></strong>? Nobody.`);
});

test('the graph shows what is said, what is ours, and what may stand in it', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  await write('nl', { 'code.lead': 'Naar {email}!' });
  const { data } = await ask<{ environment: Record<string, { key: string }[]> }, object>(
    gatehouse,
    token,
    `query ($id: ID!) { environment(id: $id) {
      code: texts(language: "nl", page: "code") { key page language text ownText placeholders }
      all: texts(language: "de") { key ownText }
      usual: texts(page: "login") { language }
      none: texts(language: "tlh") { key } } }`,
    { id: environmentId },
  );
  const { code, all, usual, none } = data!.environment;
  const text = { page: 'code', language: 'nl', ownText: 'Naar {email}!', text: 'Naar {email}!', placeholders: ['email'] };
  expect(code!.find(({ key }) => key === 'code.lead')).toEqual({ key: 'code.lead', ...text });
  expect(code!.every(({ key }) => key.startsWith('code.'))).toBe(true);
  expect(all!.length).toBeGreaterThan(100);
  expect(all!.filter((one) => (one as unknown as { ownText: unknown }).ownText !== null)).toEqual([]);
  expect(all!.some(({ key }) => key === 'page.footer')).toBe(false);
  expect(new Set(usual!.map((one) => (one as unknown as { language: string }).language))).toEqual(new Set(['en-US']));
  expect(none).toEqual([]);

  const target = await prisma.environment.findFirstOrThrow({ where: { kind: 'non_production' } });
  await prisma.pageText.create({ data: { environmentId: target.id, language: 'fr', key: 'login.heading', text: 'Ici' } });
  const input = { sourceEnvironmentId: environmentId, targetEnvironmentId: target.id, parts: ['APPEARANCE'] };
  await ask(
    gatehouse,
    token,
    'mutation ($input: CopyEnvironmentConfigurationInput!) { copyEnvironmentConfiguration(input: $input) { errors { message } } }',
    { input },
  );
  const rows = (of: string) =>
    prisma.pageText.findMany({
      where: { environmentId: of },
      select: { language: true, key: true, text: true },
      orderBy: [{ language: 'asc' }, { key: 'asc' }],
    });
  expect(await rows(target.id)).toEqual(await rows(environmentId));
});
