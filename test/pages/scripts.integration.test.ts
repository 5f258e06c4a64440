/** What pages may run: our own scripts, named by a nonce that is new each time, with the content that this server means. */
import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { requestOf } from '../signin/person.ts';

const gatehouse = startApp();
beforeAll(async () => {
  await gatehouse.app.infrastructure.database.prisma.environment.updateMany({
    data: { passkeyPolicy: 'optional', botCheck: 'proof_of_work' },
  });
  gatehouse.app.infrastructure.lookups.forget();
});

const scriptsIn = (html: string) =>
  [...html.matchAll(/<script src="([^"]+)" type="module" nonce="([^"]+)" integrity="([^"]+)"><\/script>/g)].map(
    ([, source, nonce, integrity]) => ({ source: source!, nonce: nonce!, integrity: integrity! }),
  );

test('each script has the nonce of its answer and the hash of what is served', async () => {
  const url = requestOf(gatehouse, 'spa').url;
  const pages = [await userAgent(gatehouse.baseUrl).open(url), await userAgent(gatehouse.baseUrl).open(url)];
  const nonces = new Set<string>();
  for (const { html, headers } of pages) {
    const scripts = scriptsIn(html);
    expect(scripts.map(({ source }) => source.replace(/\?v=.*/, ''))).toEqual(['/assets/passkey.js', '/assets/bot-check.js']);
    expect(html.match(/<script/g)).toHaveLength(scripts.length);
    for (const { source, nonce, integrity } of scripts) {
      nonces.add(nonce);
      expect(headers.get('content-security-policy')).toContain(`script-src 'nonce-${nonce}';`);
      const served = await fetch(gatehouse.baseUrl + source);
      expect(served.headers.get('cache-control')).toBe('public, max-age=300');
      const digest = createHash('sha256')
        .update(await served.bytes())
        .digest('base64');
      expect(integrity).toBe(`sha256-${digest}`);
      const ofAnother = await fetch(`${gatehouse.baseUrl}${source}x`);
      expect([ofAnother.status, ofAnother.headers.get('cache-control')]).toEqual([200, 'no-store']);
    }
  }
  expect(nonces.size).toBe(pages.length);
});

test('no page allows inline scripts or styles, evaluation, or anything from elsewhere', async () => {
  const agent = userAgent(gatehouse.baseUrl);
  for (const address of [
    requestOf(gatehouse, 'spa').url,
    `${gatehouse.baseUrl}/device`,
    `${gatehouse.baseUrl}/logout`,
    `${gatehouse.baseUrl}/x`,
  ]) {
    const { headers, html } = await agent.open(address);
    const policy = headers.get('content-security-policy')!;
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/unsafe|strict-dynamic|\*|https?:\/\/(?!localhost:8080)/);
    expect(policy).toContain("base-uri 'none'; frame-ancestors 'none'");
    expect([headers.get('x-frame-options'), headers.get('referrer-policy')]).toEqual(['DENY', 'no-referrer']);
    expect(html).not.toMatch(/<style|style=|\son\w+=|<script(?! src=)/i);
  }
});
