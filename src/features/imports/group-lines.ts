/**
 * Finds the lines of a file that are about the same person, which are several memberships of one user, and rejects
 * those that contradict or repeat an earlier one. The earlier line wins.
 */
import { addPerson, conflictIssue, findPerson, type People, type Person } from './matching.ts';
import { type CheckedLine, type ImportRow, type Issue, KEYS, type Key } from './validate-row.ts';

interface FilePerson extends Person {
  readonly keys: Record<Key, string[]>;
  readonly organizations: Set<string>;
  readonly lines: CheckedLine[];
}

/** The lines, those of one person together, in the order of their first ones. A rejected line stands alone. */
export function groupByPerson(lines: readonly CheckedLine[]): CheckedLine[][] {
  const people: People<FilePerson> = new Map();
  const groups: CheckedLine[][] = [];
  for (const checked of lines) {
    const { line, row } = checked;
    if (!row) {
      groups.push([checked]);
      continue;
    }
    const { person, conflict } = findPerson(people, row.keys);
    const issue = conflict ? conflictIssue(line, conflict) : person && contradiction(person, row);
    if (issue) {
      groups.push([{ line, issues: [issue] }]);
      continue;
    }
    const known = person ?? { keys: { id: [], email: [], phone: [], username: [] }, organizations: new Set<string>(), lines: [] };
    if (!person) groups.push(known.lines);
    learn(known, row);
    addPerson(people, known);
    known.lines.push(checked);
  }
  return groups;
}

function contradiction(person: FilePerson, row: ImportRow): Issue | undefined {
  const { id, email } = row.keys;
  if (id && email && person.keys.id.includes(id) && person.keys.email.length > 0 && !person.keys.email.includes(email)) {
    return conflictIssue(row.line, 'id');
  }
  if (!organizationsOf(row).every((organization) => person.organizations.has(organization))) return undefined;
  const message = 'An earlier line is about the same person in the same organization.';
  return { line: row.line, severity: 'rejected', code: 'duplicate_line', column: 'external_organization_id', message };
}

function learn(person: FilePerson, row: ImportRow): void {
  for (const key of KEYS) {
    const value = row.keys[key];
    if (value && !person.keys[key].includes(value)) person.keys[key].push(value);
  }
  for (const organization of organizationsOf(row)) person.organizations.add(organization);
}

/** Naming no organization is one choice of organization like any other. */
function organizationsOf(row: ImportRow): readonly string[] {
  return row.organizations.length > 0 ? row.organizations : [''];
}
