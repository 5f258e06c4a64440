/** How a file is kept until it is applied: cut into chunks, each compressed and sealed, for they hold password hashes. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Vault } from '../../security/secrets.ts';
import type { CheckedLine } from './validate-row.ts';

/** Lines that are applied in one transaction; a person's lines are kept together even beyond that. */
const CHUNK_LINES = 500;

/** Cuts lines into chunks, between the groups and never inside one. */
export function cutIntoChunks(groups: readonly CheckedLine[][]): CheckedLine[][] {
  const chunks: CheckedLine[][] = [];
  for (const group of groups) {
    const last = chunks.at(-1);
    if (last && last.length < CHUNK_LINES) for (const line of group) last.push(line);
    else chunks.push([...group]);
  }
  return chunks;
}

/** A chunk as the database keeps it. */
export function sealChunk(vault: Vault, lines: readonly CheckedLine[]): string {
  return vault.seal('import', gzipSync(JSON.stringify(lines), { level: 1 }).toString('base64'));
}

/** The lines of a sealed chunk.
 * @throws Error when it was sealed under another key or was changed */
export function openChunk(vault: Vault, sealed: string): CheckedLine[] {
  return JSON.parse(gunzipSync(Buffer.from(vault.open('import', sealed), 'base64')).toString());
}
