/**
 * Finds the lines of a file that are about the same person, which are several memberships of one user, and rejects
 * those that contradict or repeat an earlier one. The earlier line wins.
 */
import { addPerson, conflictIssue, findPerson, noPeople, type People, type Person } from './matching.ts';
import { type CheckedLine, type ImportRow, type Issue, KEYS, type Key } from './validate-row.ts';

interface FilePerson extends Person {
  readonly keys: { [key in Key]?: string | undefined };
  readonly lines: string[];
  /** Those of all lines, from the second line on: most people have but one, and a million sets are much. */
  organizations?: Set<string>;
}

/** The lines of a file, while it is read. */
export interface Grouping {
  /** Each line, as the JSON of a {@link CheckedLine}: a fraction of what the object takes. Those of one person are together, in the
   * order of their first ones; a rejected line stands alone. */
  readonly groups: readonly (readonly string[])[];
  add(line: CheckedLine): void;
}

/** Groups the lines that are added to it by person. */
export function groupByPerson(): Grouping {
  const people = noPeople<FilePerson>();
  const groups: string[][] = [];
  return {
    groups,
    add(checked) {
      const { line, row } = checked;
      if (!row) {
        groups.push([JSON.stringify(checked)]);
        return;
      }
      const { person, conflict } = findPerson(people, row.keys);
      const issue = conflict ? conflictIssue(line, conflict) : person && contradiction(people, person, row);
      if (issue) {
        groups.push([JSON.stringify({ line, issues: [issue] } satisfies CheckedLine)]);
        return;
      }
      const text = JSON.stringify(checked);
      if (person) {
        learn(people, person, row);
        person.lines.push(text);
      } else {
        const lines = [text];
        groups.push(lines);
        addPerson(people, { keys: row.keys, lines });
      }
    },
  };
}

function contradiction(people: People<FilePerson>, person: FilePerson, row: ImportRow): Issue | undefined {
  const { id, email } = row.keys;
  const isKnownById = id !== undefined && people.id.get(id) === person;
  if (isKnownById && email && person.keys.email && people.email.get(email) !== person) return conflictIssue(row.line, 'id');
  person.organizations ??= new Set(organizationsOf((JSON.parse(person.lines[0]!) as CheckedLine).row!));
  if (!organizationsOf(row).every((organization) => person.organizations!.has(organization))) return undefined;
  const message = 'An earlier line is about the same person in the same organization.';
  return { line: row.line, severity: 'rejected', code: 'duplicate_line', column: 'external_organization_id', message };
}

/** The person has what the line states, and is found by it. */
function learn(people: People<FilePerson>, person: FilePerson, row: ImportRow): void {
  for (const key of KEYS) person.keys[key] ??= row.keys[key];
  addPerson(people, person, row.keys);
  for (const organization of organizationsOf(row)) person.organizations!.add(organization);
}

/** Naming no organization is one choice of organization like any other. */
function organizationsOf(row: ImportRow): readonly string[] {
  return row.organizations.length > 0 ? row.organizations : [''];
}
