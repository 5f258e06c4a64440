/** Rounds that alternate between sides, so that whatever else the machine does meets all of them alike. */

export interface Schedule {
  readonly warmUpSeconds: number;
  readonly rounds: number;
  readonly seconds: number;
}

/** Measures for so many seconds, and returns a rate. */
export type Measure = (seconds: number) => Promise<number>;

/** Warms every side up, then measures them in turn. Returns the median of each. */
export async function alternate<Side extends string>(
  sides: Record<Side, Measure>,
  { warmUpSeconds, rounds, seconds }: Schedule,
  progress: (line: string) => void,
): Promise<Record<Side, number>> {
  const names = Object.keys(sides) as Side[];
  for (const name of names) await sides[name](warmUpSeconds);
  const rates = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Side, number[]>;
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) rates[name].push(await sides[name](seconds));
    progress(`round ${round} of ${rounds}: ${names.map((name) => `${name} ${Math.round(rates[name].at(-1)!)}`).join(', ')}`);
  }
  return Object.fromEntries(names.map((name) => [name, median(rates[name])])) as Record<Side, number>;
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
