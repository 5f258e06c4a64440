/** The only reader of the time. Everything else takes a {@link Clock}, so that a test can hold it still. */

export interface Clock {
  /** The present moment. */
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** `seconds` after `moment`; before it when negative. */
export function later(moment: Date, seconds: number): Date {
  return new Date(moment.getTime() + seconds * 1000);
}

/** Whole seconds since 1970, as JWT's NumericDate (RFC 7519 §2). */
export function epochSeconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000);
}
