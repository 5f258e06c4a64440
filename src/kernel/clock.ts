/** The only reader of the time. Everything else takes a {@link Clock}, so that a test can hold it still. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** The present moment. */
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** `seconds` after `moment`; before it when negative. */
export function later(moment: Date, seconds: number): Date {
  return new Date(moment.getTime() + seconds * 1000);
}

/**
 * Does `work`, and holds a result that `isHeld` back until a whole number of seconds has passed since it began: how long
 * it really took is then seen by nobody. Waiting takes no thread.
 */
export async function inWholeSeconds<Result>(work: () => Promise<Result>, isHeld: (result: Result) => boolean): Promise<Result> {
  const start = performance.now();
  const result = await work();
  if (isHeld(result)) await delay(1000 - ((performance.now() - start) % 1000));
  return result;
}

/** Whole seconds since 1970, as JWT's NumericDate (RFC 7519 §2). */
export function epochSeconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000);
}
