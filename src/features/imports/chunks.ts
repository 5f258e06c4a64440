/** How a file is kept until it is applied: cut into chunks, each compressed and sealed, for they hold password hashes. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Vault } from '../../security/secrets.ts';
import type { CheckedLine } from './validate-row.ts';

/** Lines that are applied in one transaction; a person's lines are kept together even beyond that. */
const CHUNK_LINES = 500;

/** Cuts lines into compressed chunks, between the groups and never inside one. Each line is the JSON of a {@link CheckedLine}. */
export function* cutIntoChunks(groups: Iterable<readonly string[]>): Generator<Uint8Array> {
  let chunk: string[] = [];
  for (const group of groups) {
    for (const line of group) chunk.push(line);
    if (chunk.length < CHUNK_LINES) continue;
    yield compress(chunk);
    chunk = [];
  }
  if (chunk.length > 0) yield compress(chunk);
}

function compress(lines: readonly string[]): Uint8Array {
  return gzipSync(`[${lines.join()}]`, { level: 1 });
}

/** A chunk as the database keeps it. */
export function sealChunk(vault: Vault, chunk: Uint8Array): string {
  return vault.seal('import', Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('base64'));
}

/** The lines of a sealed chunk.
 * @throws Error when it was sealed under another key or was changed */
export function openChunk(vault: Vault, sealed: string): CheckedLine[] {
  return JSON.parse(gunzipSync(Buffer.from(vault.open('import', sealed), 'base64')).toString());
}
