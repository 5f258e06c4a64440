/**
 * Reads an uploaded CSV file (RFC 4180) into rows by column name. Everything here is about the file as a whole: a file
 * that cannot be read with certainty is refused before anything of it is kept, naming the line, never quoting a value.
 */
import { CsvError, type Info, parse } from 'csv-parse/sync';
import { InvalidInputError } from '../../kernel/errors.ts';

/** Largest file, in bytes. */
export const MAX_IMPORT_BYTES = 49 * 1024 * 1024;

/** Lines of a file: each takes a kilobyte of memory, however short. The largest file has fewer, where each holds an address. */
export const MAX_IMPORT_LINES = 2_500_000;

/** The columns that mean something, each with the names it goes by. All others are ignored. */
const HEADERS = {
  id: ['id', 'provided_id'],
  email: ['email'],
  phone: ['phone'],
  username: ['username'],
  email_verified: ['email_verified'],
  phone_verified: ['phone_verified'],
  first_name: ['first_name'],
  last_name: ['last_name'],
  external_organization_id: ['external_organization_id'],
  role_key: ['role_key', 'roles'],
  permission_key: ['permission_key', 'permissions'],
  hashed_password: ['hashed_password'],
  hashing_method: ['hashing_method'],
  salt: ['salt'],
  salt_position: ['salt_position'],
  salt_format: ['salt_format'],
} as const;

export type Column = keyof typeof HEADERS;

/** One line of the file: its values, trimmed, without the empty ones. */
export type CsvRow = { readonly [column in Column]?: string } & {
  /** Where it begins: 1 is the header, and a line break inside quotes counts. */
  readonly line: number;
};

const columnByHeader = new Map(
  Object.entries(HEADERS).flatMap(([column, names]) => names.map((name) => [name as string, column as Column])),
);

/**
 * Reads a file. Lines without any value are left out.
 * @throws InvalidInputError with FILE_TOO_LARGE, BAD_ENCODING, EMPTY_FILE, MISSING_HEADER or BAD_CSV
 */
export function parseCsv(content: Uint8Array): CsvRow[] {
  const [header, ...records] = read(decode(content));
  if (!header) throw refused('EMPTY_FILE', 'The file is empty.');
  const columns = columnsOf(header.values);
  for (const { line, values } of records) {
    if (values.length === columns.length) continue;
    throw refused(
      'BAD_CSV',
      `Line ${line} has ${values.length} values where the header has ${columns.length}. Put values with commas in double quotes.`,
    );
  }
  if (records.length === 0) throw refused('EMPTY_FILE', 'The file has a header and no lines after it.');
  return records.map((record) => toRow(record, columns));
}

function decode(content: Uint8Array): string {
  if (content.byteLength > MAX_IMPORT_BYTES) {
    throw refused(
      'FILE_TOO_LARGE',
      `The file is larger than ${MAX_IMPORT_BYTES / 1024 / 1024} MB. Split it and import the parts one after another.`,
    );
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content).replaceAll(/\r\n?/g, '\n');
    if (!text.includes('\0')) return withinLines(text);
  } catch (error) {
    if (error instanceof InvalidInputError) throw error;
  }
  throw refused('BAD_ENCODING', 'The file is not UTF-8 text. Save it as “CSV UTF-8”.');
}

/** Before anything is made of the lines. */
function withinLines(text: string): string {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1))
    if (++lines > MAX_IMPORT_LINES)
      throw refused('FILE_TOO_LARGE', `The file has more than ${MAX_IMPORT_LINES} lines. Split it and import the parts one after another.`);
  return text;
}

interface CsvRecord {
  readonly line: number;
  readonly values: readonly string[];
}

function read(text: string): CsvRecord[] {
  try {
    const options = { info: true, trim: true, relax_column_count: true, skip_records_with_empty_values: true };
    const records = parse(text, options) as unknown as { info: Info; record: string[] }[]; // What `info` makes of it, which its types leave out.
    return records.map(({ info, record }) => ({ line: info.lines - count('\n', record), values: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw refused('BAD_CSV', `Line ${error['lines']}: ${FAULTS[error.code] ?? 'this is not valid CSV'}.`);
  }
}

const FAULTS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'the file ends inside a quoted value, whose closing double quote is missing',
  CSV_INVALID_CLOSING_QUOTE: 'there is text after the closing double quote of a value',
  INVALID_OPENING_QUOTE: 'there is a double quote inside a value that is not quoted',
};

function count(letter: string, values: readonly string[]): number {
  return values.reduce((sum, value) => sum + value.split(letter).length - 1, 0);
}

/** The column at each place of the header; undefined for those that mean nothing. */
function columnsOf(header: readonly string[]): (Column | undefined)[] {
  const columns = header.map((name) => columnByHeader.get(name.trim().toLowerCase()));
  const twice = columns.find((column, at) => column && columns.indexOf(column) < at);
  if (twice) throw refused('BAD_CSV', `The header names the column ${HEADERS[twice].join(' or ')} more than once.`);
  if (!['email', 'phone', 'id'].some((column) => columns.includes(column as Column))) {
    throw refused('MISSING_HEADER', 'The first line must name the columns, among them email, phone or id.');
  }
  return columns;
}

function toRow({ line, values }: CsvRecord, columns: readonly (Column | undefined)[]): CsvRow {
  const row: { [column in Column]?: string } & { line: number } = { line };
  columns.forEach((column, at) => {
    const value = column === 'salt' ? values[at] : values[at]?.trim();
    if (column && value) row[column] = value;
  });
  return row;
}

function refused(code: string, message: string): InvalidInputError {
  return new InvalidInputError(code, message, ['file']);
}
