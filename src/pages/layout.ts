/** The frame of every hosted page: plain HTML, one stylesheet, and a script on none that asks for anything. */
import { html, raw } from 'hono/html';

/** Rendered HTML, safe to embed. */
export type Html = ReturnType<typeof html>;

export interface PageFrame {
  readonly title: string;
  /** Where the stylesheet is, relative to the host: the issuer's path. */
  readonly assetsPath: string;
  readonly body: Html;
  /** The name of an asset that the page runs. */
  readonly script?: string;
}

export function page({ title, assetsPath, body, script }: PageFrame): string {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="stylesheet" href="${assetsPath}/gatehouse.css">
<link rel="icon" href="${assetsPath}/icon.svg" type="image/svg+xml">${
    script
      ? html`
<script src="${assetsPath}/${script}" type="module"></script>`
      : ''
  }
</head>
<body>
<main class="card">
${body}
</main>
<footer>Secured by Gatehouse</footer>
</body>
</html>`);
}

export { html, raw };
