/**
 * Whom a line is about: the same rules for the people that earlier lines of the file named and for those in the
 * database. A line finds its person by the strongest thing it states. It must not find two people, nor by a weaker
 * thing someone who has another of the stronger: a shared phone number does not make two people one.
 */
import { type ImportRow, type Issue, KEYS, type Key } from './validate-row.ts';

/** Someone a line may be about. */
export interface Person {
  /** One of each kind that the person has; several email addresses are possible. */
  readonly keys: { readonly [key in Key]?: string | undefined };
}

/** People by each of their keys. */
export type People<P extends Person> = Readonly<Record<Key, Map<string, P>>>;

export function noPeople<P extends Person>(): People<P> {
  return { id: new Map(), email: new Map(), phone: new Map(), username: new Map() };
}

/** Makes `person` found by each of the keys, or those given. */
export function addPerson<P extends Person>(people: People<P>, person: P, keys = person.keys): void {
  for (const key of KEYS) if (keys[key] !== undefined) people[key].set(keys[key], person);
}

/** The person the keys point to: nobody when they are all new, or the key in `conflict` when they contradict one another. */
export function findPerson<P extends Person>(people: People<P>, keys: ImportRow['keys']): { person?: P; conflict?: Key } {
  let found: { person: P; by: Key } | undefined;
  for (const key of KEYS) {
    const owner = keys[key] === undefined ? undefined : people[key].get(keys[key]);
    if (!owner) continue;
    if (found && owner !== found.person) return { conflict: key };
    found ??= { person: owner, by: key };
  }
  if (!found) return {};
  const { person, by } = found;
  for (const stronger of KEYS.slice(0, KEYS.indexOf(by)))
    if (keys[stronger] !== undefined && person.keys[stronger] !== undefined) return { conflict: by };
  return { person };
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
