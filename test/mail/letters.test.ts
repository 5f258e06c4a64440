/** Every mail, in every language: its two parts say the same, and nothing that somebody calls themselves changes what it is. */
import { describe, expect, test } from 'vitest';
import { directionOf, LANGUAGES } from '../../src/languages/languages.ts';
import type { Paper } from '../../src/mail/letter.ts';
import type { Mail } from '../../src/mail/sender.ts';
import { codeMail, noAccountMail, organizationInvitationMail, teamInvitationMail, testMail } from '../../src/mail/templates.ts';
import { PAPER } from './sending.ts';

const to = 'jane@example.test';
const link = 'https://auth.acme.test/login?invitation_code=a-1&x=2';
const PURPOSES = ['sign_in', 'sign_up', 'have_account', 'reset_password', 'mfa'] as const;

function everyMail(paper: Paper, name: string): Mail[] {
  const code = { to, code: '271828', minutes: 120, applicationName: name };
  return [
    ...PURPOSES.map((purpose) => codeMail(paper, { ...code, purpose })),
    noAccountMail(paper, { to, applicationName: name }),
    teamInvitationMail(paper, { to, businessName: name, link }),
    organizationInvitationMail(paper, { to, organizationName: name, link }),
    testMail(paper, to),
  ];
}

/** What a person reads of the HTML. */
function readable(html: string): string {
  const named: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };
  return html.replace(/<head>.*<\/head>|<[^>]+>/gs, ' ').replace(/&([a-z]+|#39);/g, (_, name: string) => named[name]!);
}

describe.each(LANGUAGES)('%s', (language) => {
  const mails = everyMail({ ...PAPER, language }, 'Acme');

  test('the HTML says what the text says, the code and the link too, and in which language', () => {
    for (const { text, html, subject } of mails) {
      expect(html).toContain(`<html lang="${language}" dir="${directionOf(language)}">`);
      const words = `${readable(html)} ${html.match(/href="([^"]+)"/)?.[1]?.replaceAll('&amp;', '&') ?? ''}`;
      for (const part of text.split(/\n\n|: (?=http)/)) expect(words).toContain(part);
      expect(`${subject}${text}`).not.toMatch(/\{\w+\}/);
      expect(subject).not.toContain('271828');
    }
    expect(mails.filter(({ text, html }) => text.includes('271828') && html.includes('271828'))).toHaveLength(PURPOSES.length);
    expect(mails.filter(({ text, html }) => text.includes(link) && html.includes(link.replace('&', '&amp;')))).toHaveLength(2);
  });

  test('a hostile name is shown, and does nothing', () => {
    const hostile = `<img src=x onerror=alert(1)>"'&</title>\r\nBcc: all@evil.test\r\n\r\n\u2028more`;
    for (const { text, html, subject } of everyMail({ ...PAPER, language, name: hostile }, hostile)) {
      expect(html).not.toMatch(/<img|<\/title>"/);
      expect(html.match(/<title>/g)).toHaveLength(1);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(subject).not.toMatch(/[\u0000-\u001f\u2028]/);
      expect(text).not.toMatch(/^Bcc|\u2028/m);
    }
  });
});

test('nothing is loaded but the logo, which has a name', () => {
  const logoUrl = 'https://auth.acme.test/logos/logo_1';
  for (const { html } of everyMail({ ...PAPER, logoUrl }, 'Acme')) {
    expect(
      [...html.matchAll(/(?:src|srcset|background|poster|data)="([^"]*)"|url\(|@import|<(?:link|script|iframe|object)/g)].map(
        ([, url]) => url,
      ),
    ).toEqual([logoUrl]);
    expect(html).toContain('alt="Acme &amp; Sons"');
  }
});

test('a mail is light and dark where the brand is, and only one of them where that is what was chosen', () => {
  const [both, dark] = [PAPER, { ...PAPER, theme: 'dark' as const }].map((paper) => everyMail(paper, 'Acme')[0]!.html);
  expect(both).toContain('name="color-scheme" content="light dark"');
  expect(both).toMatch(/prefers-color-scheme:dark\)\{\.page\{background:#111111!important;color:#eeeeee!important\}/);
  expect(both).toMatch(/<body[^>]*background:#f4f4f4/);
  expect(dark).toContain('name="color-scheme" content="dark"');
  expect(dark).not.toContain('prefers-color-scheme');
  expect(dark).toMatch(/<body[^>]*background:#111111/);
});

test('how long a code lasts is said as each language says it', () => {
  const said = (language: Paper['language'], minutes: number) =>
    codeMail({ ...PAPER, language }, { to, code: '271828', minutes, applicationName: 'Acme', purpose: 'sign_in' }).text;
  expect(said('en-US', 1)).toContain('within 1 minute.');
  expect(said('en-GB', 120)).toContain('within 2 hours.');
  expect(said('ru', 5)).toContain('5 минут.');
  expect(said('pl', 2)).toContain('2 minuty.');
});
