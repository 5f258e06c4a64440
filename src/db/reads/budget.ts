/**
 * How much is read for one request. What a row holds is not known before it is read, and some hold a thousand times what
 * others do: a request that is for few rows may still be for more than this process has memory for.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { TooMuchReadError } from '../../kernel/errors.ts';

interface Budget {
  readonly whole: number;
  left: number;
}

/** An answer is not longer than what was read, so many times: as often as it may be asked for under another name. */
const REPEATED = 64;

const budgets = new AsyncLocalStorage<Budget>();

/** Runs `work`, whose reads outside of transactions are of so many characters in all, and no more. What it leaves running is not bound by it. */
export async function readingAtMost<T>(characters: number, work: () => PromiseLike<T> | T): Promise<T> {
  const budget = { whole: characters, left: characters };
  try {
    return await budgets.run(budget, work);
  } finally {
    budget.left = Number.POSITIVE_INFINITY;
  }
}

/** The text of an answer, taken from what may be read.
 * @throws TooMuchReadError when it is more than is left */
export function counted(answer: string): string {
  const budget = budgets.getStore();
  if (budget) take(budget, answer.length);
  return answer;
}

/** What Prisma reads, taken from what may be read as soon as it is here; its own promise where nothing is counted. */
export function countedRows(read: () => Promise<unknown>): Promise<unknown> {
  const budget = budgets.getStore();
  if (!budget) return read();
  return read().then((rows) => {
    take(budget, charactersOf(rows));
    return rows;
  });
}

/** Checks that the answer made of what was read is no longer than that might have been: a row is read once for all the names it is asked for by.
 * @throws TooMuchReadError */
export function assertAnswerable(answer: unknown): void {
  const budget = budgets.getStore();
  if (!budget || (budget.whole - budget.left) * REPEATED < budget.whole) return;
  if (charactersOf(answer) > budget.whole) throw new TooMuchReadError();
}

function take(budget: Budget, characters: number): void {
  budget.left -= characters;
  if (budget.left < 0) throw new TooMuchReadError();
}

/** About as many as the text of an answer would have. */
function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return 4;
  let sum = 2;
  if (Array.isArray(value)) for (const inner of value) sum += charactersOf(inner) + 1;
  else for (const [name, inner] of Object.entries(value)) sum += name.length + 4 + charactersOf(inner);
  return sum;
}
