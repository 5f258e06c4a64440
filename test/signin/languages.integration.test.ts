/** What an operator says of languages is what the pages speak. */
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken } from '../helpers/user-agent.ts';
import { productionEnvironment, requestOf } from './person.ts';

const gatehouse = startApp();
let token: string;
let environmentId: string;

beforeAll(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
});

type Result = { updateEnvironmentLanguages: { errors: object[]; environment: object | null } };
const speak = (languages: string[], defaultLanguage: string) =>
  ask<Result, object>(
    gatehouse,
    token,
    `mutation ($input: UpdateEnvironmentLanguagesInput!) { updateEnvironmentLanguages(input: $input) {
      errors { message } environment { languages defaultLanguage } } }`,
    { input: { environmentId, languages, defaultLanguage } },
  );

/** The `lang` and `dir` of the first page and what it says on top, for a browser that prefers `accepted`. */
async function spoken(accepted: string, parameters: { lang?: string; ui_locales?: string } = {}): Promise<string> {
  const { url } = requestOf(gatehouse, 'spa', parameters);
  const first = await fetch(url, { redirect: 'manual', headers: { 'accept-language': accepted } });
  const cookie = first.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const page = await fetch(first.headers.get('location')!, { headers: { 'accept-language': accepted, cookie } });
  return /<html lang="([^"]+)" dir="([^"]+)".*<h1>([^<]+)<\/h1>/s
    .exec(await page.text())!
    .slice(1)
    .join(' ');
}

test('a person gets what the application asks for, the browser prefers, or the default, if it is spoken', async () => {
  expect(await spoken('he')).toBe('he rtl כניסה');
  expect((await speak(['de', 'he', 'en'], 'de')).data?.updateEnvironmentLanguages).toEqual({
    errors: [],
    environment: { languages: ['de', 'he', 'en'], defaultLanguage: 'de' },
  });
  expect(await spoken('fr')).toBe('de ltr Anmelden');
  expect(await spoken('fr, he;q=0.5')).toBe('he rtl כניסה');
  expect(await spoken('he', { lang: 'en-AU' })).toBe('en ltr Sign in');
  expect(await spoken('he', { lang: 'en', ui_locales: 'de' })).toBe('en ltr Sign in');
  expect(await spoken('he', { ui_locales: 'de-AT fr' })).toBe('de ltr Anmelden');
  expect(await spoken('he', { lang: 'nl' })).toBe('he rtl כניסה');
  await speak([], 'en-US');
  expect(await spoken('fr')).toBe('fr ltr Se connecter');
});

test('a copy of the appearance carries them', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const target = await prisma.environment.findFirstOrThrow({ where: { kind: 'non_production' } });
  await speak(['pl', 'he'], 'pl');
  const copied = await ask<{ copyEnvironmentConfiguration: object }, object>(
    gatehouse,
    token,
    `mutation ($input: CopyEnvironmentConfigurationInput!) { copyEnvironmentConfiguration(input: $input) {
      errors { message } environment { languages defaultLanguage } } }`,
    { input: { sourceEnvironmentId: environmentId, targetEnvironmentId: target.id, parts: ['APPEARANCE'] } },
  );
  expect(copied.data?.copyEnvironmentConfiguration).toEqual({
    errors: [],
    environment: { languages: ['pl', 'he'], defaultLanguage: 'pl' },
  });
});
