/** The frame of every hosted page: plain HTML, one stylesheet, and a script on none that asks for anything. */
import { html, raw } from 'hono/html';
import type { Brand } from '../features/brands/service.ts';
import { directionOf, type Language } from '../languages/languages.ts';
import { fill, type Say, type TextKey } from '../languages/texts.ts';
import { ASSETS, type ScriptName } from './assets.ts';

/** Rendered HTML, safe to embed. */
export type Html = ReturnType<typeof html>;

/** What every page is drawn with: where it is, and how it speaks. */
export interface Scene {
  /** The issuer's path on its host, without a slash at the end. */
  readonly basePath: string;
  readonly language: Language;
  readonly say: Say;
  readonly brand: Brand;
  /** Of the page's scripts: what does not have it is not run. */
  readonly nonce: string;
  /** Of a page that is only looked at: it does nothing, and has a stylesheet of its own. */
  readonly previewToken?: string;
  /** Where the logo leads. */
  readonly homepageUri: string | null;
}

export interface PageContent {
  readonly title: string;
  /** Whether it is shown again because something is wrong with what was sent. Its title says so, which is read out first. */
  readonly isRefused?: boolean;
  readonly body: Html;
  /** The asset that the page runs. */
  readonly script?: ScriptName | undefined;
}

export function page(scene: Scene, { title, isRefused, body, script }: PageContent): string {
  const { basePath, language, say, brand } = scene;
  return String(html`<!doctype html>
<html lang="${language}" dir="${directionOf(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${isRefused ? say('page.refused_title', { title }) : title}</title>
<link rel="stylesheet" href="${basePath}/assets/gatehouse.css">
${stylesheetOf(scene)}${favicons(scene)}${script ? scriptOf(scene, script) : ''}
</head>
<body>
<main class="card"${scene.previewToken ? raw(' inert') : ''}>
${logo(scene)}${body}
</main>
${brand.isBadgeHidden ? '' : html`<footer>${say('page.footer')}</footer>`}
</body>
</html>`);
}

/** Runs one of the assets: at the address of its version, and only if it is what this server means. */
export function scriptOf({ basePath, nonce }: Scene, name: ScriptName): Html {
  const { version, integrity } = ASSETS[name];
  return html`
<script src="${basePath}/assets/${name}?v=${version}" type="module" nonce="${nonce}" integrity="${integrity}"></script>`;
}

/** The brand's own, where it has one: its address tells one version of it from every other. */
function stylesheetOf({ basePath, brand: { stylesheet, organizationId }, previewToken }: Scene): Html | '' {
  if (!stylesheet) return '';
  if (previewToken)
    return html`<link rel="stylesheet" href="${basePath}/preview.css?token=${previewToken}">
`;
  const query = new URLSearchParams({ v: stylesheet.hash, ...(organizationId && { organization: organizationId }) });
  return html`<link rel="stylesheet" href="${basePath}/brand.css?${query.toString()}">
`;
}

function favicons({ basePath, brand: { favicons: own } }: Scene): Html {
  if (own.length === 0) return html`<link rel="icon" href="${basePath}/assets/icon.svg" type="image/svg+xml">`;
  return html`${own.map(({ id, contentType }) => html`<link rel="icon" href="${basePath}/logos/${id}" type="${contentType}">`)}`;
}

/** Whose page this is. */
function logo({ basePath, brand: { logo: pictures, name, theme, showsName }, homepageUri }: Scene): Html | '' {
  if (!pictures && !showsName) return '';
  const source = ({ id }: { readonly id: string }) => `${basePath}/logos/${id}`;
  const isTwofold = pictures && theme === 'user_preference' && pictures.light.id !== pictures.dark.id;
  const shown =
    pictures &&
    html`<picture>${isTwofold ? html`<source srcset="${source(pictures.dark)}" media="(prefers-color-scheme: dark)">` : ''}<img src="${source(theme === 'dark' ? pictures.dark : pictures.light)}" alt="${name}"></picture>`;
  const mark = shown ?? html`<bdi>${name}</bdi>`;
  return html`<p class="logo">${homepageUri ? html`<a href="${homepageUri}">${mark}</a>` : mark}</p>
`;
}

/** A text whose values stand out, or are pieces of HTML themselves. */
export function rich({ say }: Scene, key: TextKey, values: Readonly<Record<string, string | Html>>): Html {
  const parts = fill(say(key), (name) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return typeof value === 'string' ? html`<strong><bdi>${value}</bdi></strong>` : value;
  });
  return html`${parts}`;
}

export { html, raw };
