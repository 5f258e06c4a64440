/** The frame of every hosted page: plain HTML, one stylesheet, and a script on none that asks for anything. */
import { html, raw } from 'hono/html';
import { directionOf, type Language } from '../languages/languages.ts';
import { fill, type Say, type TextKey } from '../languages/texts.ts';

/** Rendered HTML, safe to embed. */
export type Html = ReturnType<typeof html>;

/** What every page is drawn with: where it is, and how it speaks. */
export interface Scene {
  /** The issuer's path on its host, without a slash at the end. */
  readonly basePath: string;
  readonly language: Language;
  readonly say: Say;
}

export interface PageContent {
  readonly title: string;
  readonly body: Html;
  /** The name of an asset that the page runs. */
  readonly script?: string | undefined;
}

export function page({ basePath, language, say }: Scene, { title, body, script }: PageContent): string {
  return String(html`<!doctype html>
<html lang="${language}" dir="${directionOf(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="stylesheet" href="${basePath}/assets/gatehouse.css">
<link rel="icon" href="${basePath}/assets/icon.svg" type="image/svg+xml">${
    script
      ? html`
<script src="${basePath}/assets/${script}" type="module"></script>`
      : ''
  }
</head>
<body>
<main class="card">
${body}
</main>
<footer>${say('page.footer')}</footer>
</body>
</html>`);
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
