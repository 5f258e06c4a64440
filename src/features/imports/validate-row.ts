/**
 * Checks one line of a file by itself, without the database or the other lines. A line is rejected or taken whole; only
 * a password that cannot be used is left behind with a warning. A message never repeats a contact or a hash.
 */
import { checkImportedHash, type HashProblem, IMPORTABLE_METHODS, type StoredPassword } from '../../security/passwords/passwords.ts';
import { isEmail, isPhone, isUsername } from '../text.ts';
import type { Column, CsvRow } from './csv.ts';

/** What a person is found by, strongest first. */
export const KEYS = ['id', 'email', 'phone', 'username'] as const;
export type Key = (typeof KEYS)[number];

/** A line that may be applied. */
export interface ImportRow {
  readonly line: number;
  /** What the line finds its person by, in the form that is compared: email addresses and usernames in lower case. */
  readonly keys: { readonly [key in Key]?: string | undefined };
  /** As written in the file. */
  readonly email?: string | undefined;
  readonly username?: string | undefined;
  readonly isEmailVerified: boolean;
  readonly isPhoneVerified: boolean;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  /** External ids, each once. */
  readonly organizations: readonly string[];
  /** Keys, each once. */
  readonly roles: readonly string[];
  /** Keys, each once. */
  readonly permissions: readonly string[];
  readonly password?: StoredPassword | undefined;
}

/** Something wrong with a line, as it is shown to whoever imported it. */
export interface Issue {
  readonly line: number;
  /** `rejected`: nothing of the line was applied. `warning`: all but what the message names was. */
  readonly severity: 'rejected' | 'warning';
  readonly code: string;
  readonly column?: Column | undefined;
  readonly message: string;
}

/** A line after its checks; without a row it is rejected, and the issues say why. */
export interface CheckedLine {
  readonly line: number;
  readonly row?: ImportRow | undefined;
  readonly issues: readonly Issue[];
}

/** Longest id, name and key, in characters. */
const MAX_LENGTH = 200;
/** Keys in one list: as many as by hand. */
const MAX_KEYS = 100;
const CONTROL_CHARACTER = /[^\P{Cc}\t\n]/u;

/** Checks a row and brings its values into the form they are kept in. */
export function validateRow(csv: CsvRow): CheckedLine {
  const { line } = csv;
  const row = normalize(csv);
  const faults = [...faultsOf(csv, row)];
  if (faults.length > 0) {
    return { line, issues: faults.map(([code, message, column]) => ({ line, severity: 'rejected', code, column, message })) };
  }
  const problem = row.password && checkImportedHash(row.password);
  return problem ? { line, row: { ...row, password: undefined }, issues: [hashIssue(line, problem)] } : { line, row, issues: [] };
}

function normalize(csv: CsvRow): ImportRow {
  return {
    line: csv.line,
    keys: { id: csv.id, email: csv.email?.toLowerCase(), phone: csv.phone, username: csv.username?.toLowerCase() },
    email: csv.email,
    username: csv.username,
    isEmailVerified: isTrue(csv.email_verified),
    isPhoneVerified: isTrue(csv.phone_verified),
    firstName: csv.first_name,
    lastName: csv.last_name,
    organizations: list(csv.external_organization_id),
    roles: list(csv.role_key),
    permissions: list(csv.permission_key),
    password: csv.hashed_password
      ? {
          method: csv.hashing_method?.toLowerCase() ?? '',
          hash: csv.hashed_password,
          salt: csv.salt ?? null,
          saltPosition: csv.salt_position?.toLowerCase() ?? null,
          saltFormat: csv.salt_format?.toLowerCase() ?? null,
        }
      : undefined,
  };
}

function isTrue(text: string | undefined): boolean {
  return text?.toUpperCase() === 'TRUE';
}

const NONE: readonly string[] = [];

/** The values of a comma list, each once. */
function list(text: string | undefined): readonly string[] {
  return text === undefined ? NONE : [...new Set(text.split(',').map((value) => value.trim()))].filter((value) => value !== '');
}

type Fault = [code: string, message: string, column?: Column];

/** Everything that a line is rejected for. */
function* faultsOf(csv: CsvRow, row: ImportRow): Generator<Fault> {
  if (!KEYS.some((key) => csv[key]))
    yield ['missing_identity', 'The line is about nobody: it needs an email or a phone, or the id of a user.'];
  if (csv.email && !isEmail(csv.email)) yield ['invalid_email', 'This is not an email address.', 'email'];
  if (csv.phone && !isPhone(csv.phone)) {
    yield ['invalid_phone', 'A phone number has its country code and no spaces, such as +61555111555.', 'phone'];
  }
  if (csv.username && !isUsername(csv.username)) {
    yield ['invalid_username', 'A username is 2 to 64 letters, digits, dashes and underscores.', 'username'];
  }
  for (const column of ['email_verified', 'phone_verified'] as const) {
    if (csv[column] && !/^(true|false)$/i.test(csv[column])) yield ['invalid_boolean', `${column} must be TRUE or FALSE.`, column];
  }
  if (row.organizations.length === 0 && row.roles.length + row.permissions.length > 0) {
    yield [
      'missing_organization',
      'Roles and permissions are held in an organization, which the line must name.',
      'external_organization_id',
    ];
  }
  yield* listFaults('external_organization_id', row.organizations);
  yield* listFaults('role_key', row.roles);
  yield* listFaults('permission_key', row.permissions);
  if (!isText(row.keys.id)) yield invalidText('id');
  if (!isText(row.firstName)) yield invalidText('first_name');
  if (!isText(row.lastName)) yield invalidText('last_name');
}

function* listFaults(column: Column, keys: readonly string[]): Generator<Fault> {
  if (keys.length > MAX_KEYS) yield ['too_many', `${column} must name at most ${MAX_KEYS}.`, column];
  if (!keys.every(isText)) yield invalidText(column);
}

function isText(text = ''): boolean {
  return text.length <= MAX_LENGTH && !CONTROL_CHARACTER.test(text);
}

function invalidText(column: Column): Fault {
  return ['invalid_text', `${column} must have at most ${MAX_LENGTH} characters, none of them a control character.`, column];
}

function hashIssue(line: number, problem: HashProblem): Issue {
  const [column, reason] = HASH_PROBLEMS[problem];
  const message = `${reason} The user is without a password and sets one at the next sign-in.`;
  return { line, severity: 'warning', code: problem, column, message };
}

const HASH_PROBLEMS: Record<HashProblem, [column: Column, reason: string]> = {
  missing_hashing_method: ['hashing_method', 'hashed_password needs a hashing_method.'],
  unsupported_hashing_method: ['hashing_method', `hashing_method must be one of ${IMPORTABLE_METHODS.join(', ')}.`],
  invalid_hash: ['hashed_password', 'The hash does not have the form of its hashing_method.'],
  missing_salt_position: ['salt_position', 'A salt needs a salt_position: prefix or suffix.'],
  invalid_salt_position: ['salt_position', 'salt_position must be prefix or suffix.'],
  invalid_salt_format: ['salt_format', 'salt_format must be string, or hex with a salt of hex digits.'],
};
