/** How every mail is laid out: the same words as text and as HTML, in one language, in the look of whom it is from. */
import { html } from 'hono/html';
import { directionOf, type Language } from '../languages/languages.ts';
import { type Say, speaker, type Texts } from '../languages/texts.ts';
import type { Mail } from './sender.ts';

/** Colours as `#rrggbb`, each readable on what it is for. */
export interface PaperColors {
  readonly page: string;
  readonly card: string;
  readonly text: string;
  readonly button: string;
  readonly 'on-button': string;
}

/** What a mail is written on. */
export interface Paper {
  readonly language: Language;
  /** Texts that an operator has written in the place of ours. */
  readonly ownTexts?: Texts;
  /** Whose mail it is; stands on top, in words or as the logo. */
  readonly name: string;
  readonly logoUrl: string | null;
  readonly theme: 'light' | 'dark' | 'user_preference';
  readonly light: PaperColors;
  readonly dark: PaperColors;
}

export interface Letter {
  readonly to: string;
  readonly subject: string;
  readonly heading: string;
  /** What it is about; the code or the link stands below it. */
  readonly lead: string;
  /** Shown large. */
  readonly code?: string;
  readonly action?: { readonly label: string; readonly link: string };
  readonly rest?: string;
}

/** Speaks a paper's language. A name that somebody chose stays on its line. */
export function sayOn({ language, ownTexts }: Paper): Say {
  const say = speaker(language, ownTexts);
  return (key, values = {}) => say(key, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, oneLine(String(value))])));
}

function oneLine(words: string): string {
  return words.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

export function layOut(paper: Paper, { to, subject, heading, lead, code, action, rest }: Letter): Mail {
  const text = [lead, code, action && `${action.label}: ${action.link}`, rest].filter(Boolean).join('\n\n');
  const { language, name, logoUrl, theme } = paper;
  const colors = theme === 'dark' ? paper.dark : paper.light;
  // Programs without stylesheets show the attributes; a logo keeps the ground that it was drawn for.
  const paragraph = (words: string) => html`<p style="margin:0 0 16px;line-height:1.5">${words}</p>`;
  const top = logoUrl
    ? html`<img src="${logoUrl}" alt="${name}" style="display:inline-block;max-width:200px;max-height:64px;padding:4px;border-radius:8px;background:${colors.card};color:${colors.text}">`
    : html`<strong><bdi>${name}</bdi></strong>`;
  const page = html`<!doctype html>
<html lang="${language}" dir="${directionOf(language)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${subject}</title>
<meta name="color-scheme" content="${theme === 'user_preference' ? 'light dark' : theme}">${theme === 'user_preference' ? darkSheet(paper) : ''}</head>
<body class="page" style="margin:0;padding:32px 16px;background:${colors.page};color:${colors.text};font:16px system-ui,sans-serif">
<div class="card" style="max-width:440px;margin:0 auto;padding:32px;background:${colors.card};color:${colors.text};border-radius:12px">
${name || logoUrl ? html`<p style="margin:0 0 24px">${top}</p>` : ''}
<h1 style="margin:0 0 16px;font-size:20px">${heading}</h1>
${paragraph(lead)}
${code ? html`<p style="margin:0 0 16px;font:600 32px ui-monospace,monospace;letter-spacing:6px"><bdi dir="ltr">${code}</bdi></p>` : ''}
${action ? html`<p style="margin:0 0 16px"><a class="button" href="${action.link}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:${colors.button};color:${colors['on-button']};text-decoration:none">${action.label}</a></p>` : ''}
${rest ? paragraph(rest) : ''}
</div></body></html>`;
  return { to, subject, text, html: String(page) };
}

function darkSheet({ dark }: Paper) {
  const rule = (name: string, background: string, color: string) => `.${name}{background:${background}!important;color:${color}!important}`;
  const rules = [rule('page', dark.page, dark.text), rule('card', dark.card, dark.text), rule('button', dark.button, dark['on-button'])];
  return html`
<style>@media (prefers-color-scheme:dark){${rules.join('')}}</style>`;
}
