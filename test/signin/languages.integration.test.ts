/** What an operator says of languages is what the pages speak. */
import { afterEach, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken, userAgent } from '../helpers/user-agent.ts';
import { headingOf, newAddress, productionEnvironment, requestOf, signIn, signUp } from './person.ts';

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

afterEach(() => speak([], 'en-US'));

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
  expect(await spoken('en', { ui_locales: 'fr xx he de' })).toBe('he rtl כניסה');
  expect(await spoken('en', { lang: 'fr', ui_locales: 'de he' })).toBe('de ltr Anmelden');
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

test('an application that signs somebody out says in which language, on the page that asks too', async () => {
  const german = (url: string) => userAgent(gatehouse.baseUrl, { 'accept-language': 'he' }).open(url);
  const { issuer } = gatehouse.quickstart;
  expect(headingOf(await german(`${issuer}/logout?ui_locales=xx+de`))).toBe('Sie sind abgemeldet');
  expect(headingOf(await german(`${issuer}/logout`))).toBe('יצאת מהחשבון');
  const { agent } = await signUp(gatehouse);
  const asked = await agent.open(`${issuer}/logout?ui_locales=de&post_logout_redirect_uri=https://elsewhere.test`);
  expect(headingOf(asked)).toBe('Abmelden?');
  const done = await agent.submit(asked, 'confirm');
  expect([headingOf(done), done.status]).toEqual(['Sie sind abgemeldet', 400]);
});

test('what is for developers is in English on a page in any language, and marked as such', async () => {
  const { url } = requestOf(gatehouse, 'spa', { response_type: 'token', ui_locales: 'de' });
  const { html } = await userAgent(gatehouse.baseUrl).open(url);
  expect(html).toContain('<p class="lead">Die Anwendung hat eine Anfrage gesendet, die nicht zu gebrauchen ist.</p>');
  expect(html).toContain('<p class="reference" lang="en" dir="ltr">The response_type must be code.</p>');
  const answer = await fetch(url, { headers: { accept: 'application/json' } });
  expect(await answer.json()).toMatchObject({
    error_description: 'The application sent a request that cannot be used. The response_type must be code.',
  });
});

test('an invitation is in the language in which its reader last signed in, or else in the default', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const [organizationId, invitationApplicationId] = [newId('organization'), `app_${gatehouse.application('spa').clientId}`];
  await prisma.application.updateMany({ where: { id: invitationApplicationId }, data: { loginUri: 'https://app.test/login' } });
  await prisma.environment.update({ where: { id: environmentId }, data: { allowInvitations: true, invitationApplicationId } });
  await prisma.organization.create({ data: { environmentId, id: organizationId, name: 'Harbour' } });
  gatehouse.app.infrastructure.lookups.forget();
  const { email } = await signUp(gatehouse, { parameters: { lang: 'fr' } });
  await signIn(gatehouse, email, { parameters: { ui_locales: 'de' } });
  const invite = async (to: string, after = 0, language?: string) => {
    const input = { organizationId, email: to, language };
    const document = `mutation ($input: CreateOrganizationInvitationInput!) {
      createOrganizationInvitation(input: $input) { errors { code } invitation { id } } }`;
    const { data } = await ask<{ createOrganizationInvitation: object }, object>(gatehouse, token, document, { input });
    expect(data?.createOrganizationInvitation).toMatchObject({ errors: [] });
    return (await gatehouse.mailTo(to, { after })).subject;
  };
  await speak([], 'nl');
  expect(await invite(email, 1)).toBe('Sie sind zu Harbour eingeladen');
  expect(await invite(newAddress())).toBe('Je bent uitgenodigd voor Harbour');
  expect(await invite(newAddress(), 0, 'fr')).toBe('Invitation à rejoindre Harbour');
  expect(await invite(email, 2, 'fr')).toBe('Sie sind zu Harbour eingeladen');
  await speak(['nl', 'fr'], 'nl');
  expect(await invite(email, 3, 'fr')).toBe('Invitation à rejoindre Harbour');
  expect(await invite(email, 4)).toBe('Je bent uitgenodigd voor Harbour');
});
