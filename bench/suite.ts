/** What a suite is given and what it returns. */
import type { PostgresServer } from '../test/helpers/postgres.ts';
import type { Conditions, Machine } from './machine.ts';

export interface Result {
  readonly work: string;
  /** Ours and the peer's, each the median of its rounds. */
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly unit: string;
  /** How many times the peer's figure ours is. */
  readonly ratio: number;
  readonly conditions: Conditions;
}

export interface Bench {
  readonly machine: Machine;
  readonly postgres: PostgresServer;
  /** How many users a suite writes that asks about many; its other tables follow. */
  readonly users: number;
  /** Words that the works of this run have in their names. */
  readonly words: readonly string[];
  /** A directory that is removed when the run ends. */
  readonly directory: string;
  /** Tells whoever waits how far it is; never on stdout. */
  progress(line: string): void;
}

export type Suite = (bench: Bench) => Promise<Result[]>;

/** Is `work` among those that the run is for? */
export function isWanted({ words }: Bench, work: string): boolean {
  return words.every((word) => work.toLowerCase().includes(word.toLowerCase()));
}
