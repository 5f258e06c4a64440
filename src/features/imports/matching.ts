/**
 * Whom a line is about: the same rules for the people that earlier lines of the file named and for those in the
 * database. A line finds its person by the strongest thing it states. It must not find two people, nor by a weaker
 * thing someone who has another of the stronger: a shared phone number does not make two people one.
 */
import { type ImportRow, type Issue, KEYS, type Key } from './validate-row.ts';

/** Someone a line may be about. */
export interface Person {
  /** What the person is found by; several email addresses are possible. */
  readonly keys: Readonly<Record<Key, readonly string[]>>;
}

/** People by each of their keys. */
export type People<P extends Person> = Map<string, P>;

/** Makes `person` found by each of the keys. */
export function addPerson<P extends Person>(people: People<P>, person: P): void {
  for (const key of KEYS) for (const value of person.keys[key]) people.set(`${key}:${value}`, person);
}

/** The person the keys point to: nobody when they are all new, or the key in `conflict` when they contradict one another. */
export function findPerson<P extends Person>(people: People<P>, keys: ImportRow['keys']): { person?: P; conflict?: Key } {
  const stated = KEYS.filter((key) => keys[key] !== undefined);
  const ownerOf = (key: Key) => people.get(`${key}:${keys[key]}`);
  const by = stated.find(ownerOf);
  if (!by) return {};
  const person = ownerOf(by)!;
  const others = stated.find((key) => (ownerOf(key) ?? person) !== person);
  if (others) return { conflict: others };
  const stronger = stated.slice(0, stated.indexOf(by));
  return stronger.some((key) => person.keys[key].length > 0) ? { conflict: by } : { person };
}

/** The rejection of a line whose `key` belongs to someone else. */
export function conflictIssue(line: number, key: Key): Issue {
  const [code, message] = CONFLICTS[key];
  return { line, severity: 'rejected', code, column: key, message };
}

const CONFLICTS: Record<Key, [code: string, message: string]> = {
  id: ['duplicate_id', 'An earlier line gives this id another email address.'],
  email: ['duplicate_email', 'The email address belongs to a user with another id.'],
  phone: ['duplicate_phone', 'The phone number belongs to another user.'],
  username: ['invalid_username', 'The username is taken by another user.'],
};
