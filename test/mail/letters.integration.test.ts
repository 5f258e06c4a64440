/** Mails are in the language of who gets them where that is known, else in the environment's, and look like its pages. */
import { beforeAll, expect, test } from 'vitest';
import type { DevelopmentMail } from '../../src/mail/mailbox.ts';
import { startApp } from '../helpers/app.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { identify, newAddress } from '../signin/person.ts';
import { change, operator, seededEnvironment } from './sending.ts';

const gatehouse = startApp();
const GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
let environmentId: string;
let businessId: string;

beforeAll(async () => {
  ({ id: environmentId, businessId } = await seededEnvironment(gatehouse));
  await change(gatehouse, 'updateEnvironmentLanguages', { environmentId, languages: ['de', 'fr', 'he'], defaultLanguage: 'de' });
});

/** The mail to somebody who signs up in a browser that prefers `accepted`. */
async function codeMailed(accepted: string, parameters: Record<string, string> = {}): Promise<DevelopmentMail> {
  const email = newAddress('reader');
  await identify(gatehouse, userAgent(gatehouse.baseUrl, { 'accept-language': accepted }), email, { prompt: 'create', ...parameters });
  return gatehouse.mailTo(email);
}

test('a code is mailed in the language of the pages that it is asked for on', async () => {
  expect(await codeMailed('fr')).toMatchObject({
    subject: 'Votre code pour Acme app',
    text: expect.stringContaining('Utilisez ce code pour terminer votre inscription à Acme app.'),
    html: expect.stringContaining('<html lang="fr" dir="ltr">'),
  });
  expect((await codeMailed('fr', { lang: 'he' })).html).toContain('<html lang="he" dir="rtl">');
  expect((await codeMailed('it')).subject).toBe('Ihr Code für Acme app');
});

test('a mail says what the operator has written, and so does the HTML', async () => {
  const texts = [{ key: 'mail.code.sign_up', text: 'Bienvenue <chez> {application} !' }];
  await change(gatehouse, 'updatePageTexts', { environmentId, language: 'fr', texts });
  const { text, html } = await codeMailed('fr');
  expect(text).toContain('Bienvenue <chez> Acme app !');
  expect(html).toContain('Bienvenue &lt;chez&gt; Acme app !');
  await change(gatehouse, 'updatePageTexts', { environmentId, language: 'fr', texts: [{ key: 'mail.code.sign_up' }] });
});

test('an invitation is in the language of the environment that it is of, whatever its sender reads', async () => {
  await operator(gatehouse).db.environment.updateMany({ where: { kind: 'account' }, data: { defaultLanguage: 'nl' } });
  const email = newAddress('colleague');
  await change(gatehouse, 'inviteTeamMember', { businessId, email, roles: ['ADMIN'] });
  const { subject, text, html } = await gatehouse.mailTo(email);
  expect(subject).toMatch(/^Je bent uitgenodigd voor het team van /);
  const link = /http\S+/.exec(text)![0];
  expect(html).toContain(`href="${link}"`);
});

test('a mail has the colours and the logo of its environment, and a drawing is left out', async () => {
  const plain = await codeMailed('de');
  expect(plain.html).not.toContain('<img');
  await change(gatehouse, 'updateEnvironmentBrand', {
    environmentId,
    lightColors: { background: '#ffe4e1' },
    darkColors: { card: '#221100' },
  });
  await change(gatehouse, 'setEnvironmentLogo', { environmentId, type: 'LIGHT', contentBase64: GIF });
  const { html } = await codeMailed('de');
  expect(html).toMatch(/<body[^>]*background:#ffe4e1/);
  expect(html).toContain('.card{background:#221100!important');
  const [, logoUrl] = /<img src="([^"]+)" alt="Acme"/.exec(html)!;
  const logo = await fetch(logoUrl!);
  expect([logo.status, logo.headers.get('content-type')]).toEqual([200, 'image/gif']);

  const contentBase64 = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>').toString('base64');
  await change(gatehouse, 'setEnvironmentLogo', { environmentId, type: 'LIGHT', contentBase64 });
  expect((await codeMailed('de')).html).toContain('<bdi>Acme</bdi>');
});
