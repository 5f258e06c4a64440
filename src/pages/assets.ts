/** The pages' stylesheet, icon and scripts, read once at start. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  /** Tells it from what it was before a change. */
  readonly version: string;
  /** As Subresource Integrity has it. */
  readonly integrity: string;
}

export const ASSETS = {
  'gatehouse.css': read('gatehouse.css', 'text/css; charset=utf-8'),
  'icon.svg': read('icon.svg', 'image/svg+xml'),
  'answer.js': read('answer.js', 'text/javascript; charset=utf-8'),
  'bot-check.js': read('bot-check.js', 'text/javascript; charset=utf-8'),
  'passkey.js': read('passkey.js', 'text/javascript; charset=utf-8'),
} as const;

export type ScriptName = Extract<keyof typeof ASSETS, `${string}.js`>;

function read(name: string, type: string): Asset {
  const body = readFileSync(join(import.meta.dirname, 'assets', name));
  const digest = createHash('sha256').update(body).digest();
  return { type, body, version: digest.toString('base64url').slice(0, 22), integrity: `sha256-${digest.toString('base64')}` };
}
