/**
 * Reads an uploaded CSV file (RFC 4180) row by row, by column name. Everything here is about the file as a whole: a file
 * that cannot be read with certainty is refused before anything of it is kept, naming the line, never quoting a value.
 */
import { isUtf8 } from 'node:buffer';
import { CsvError, parse } from 'csv-parse/sync';
import { InvalidInputError } from '../../kernel/errors.ts';

/** Largest file, in bytes. */
export const MAX_IMPORT_BYTES = 49 * 1024 * 1024;

/** Lines of a file: each takes half a kilobyte of memory, however short. The largest file has fewer, where each holds an address. */
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
 * Reads a file, and gives each row to `take` before it reads the next. Lines without any value are left out.
 * @throws InvalidInputError with FILE_TOO_LARGE, BAD_ENCODING, EMPTY_FILE, MISSING_HEADER or BAD_CSV, at the latest after the last row
 */
export function readCsv(content: Uint8Array, take: (row: CsvRow) => void): void {
  let columns: (Column | undefined)[] | undefined;
  let rows = 0;
  eachRecord(textOf(content), (line, values) => {
    if (!columns) {
      columns = columnsOf(values);
      return;
    }
    if (values.length !== columns.length)
      throw refused(
        'BAD_CSV',
        `Line ${line} has ${values.length} values where the header has ${columns.length}. Put values with commas in double quotes.`,
      );
    rows++;
    take(toRow(line, values, columns));
  });
  if (!columns) throw refused('EMPTY_FILE', 'The file is empty.');
  if (rows === 0) throw refused('EMPTY_FILE', 'The file has a header and no lines after it.');
}

/** The file in UTF-8, where lines end in nothing but a line feed. */
function textOf(content: Uint8Array): Uint8Array {
  assertImportSize(content.byteLength);
  if (!isUtf8(content) || content.includes(0)) throw refused('BAD_ENCODING', 'The file is not UTF-8 text. Save it as “CSV UTF-8”.');
  const text = content.includes(CR) ? withLineFeeds(content) : content;
  let lines = 0;
  for (let at = text.indexOf(LF); at >= 0; at = text.indexOf(LF, at + 1))
    if (++lines > MAX_IMPORT_LINES)
      throw refused('FILE_TOO_LARGE', `The file has more than ${MAX_IMPORT_LINES} lines. Split it and import the parts one after another.`);
  return text;
}

const CR = 0x0d;
const LF = 0x0a;

function withLineFeeds(content: Uint8Array): Uint8Array {
  const text = new Uint8Array(content.length);
  let length = 0;
  for (let at = 0; at < content.length; at++) {
    if (content[at] === LF && content[at - 1] === CR) continue;
    text[length++] = content[at] === CR ? LF : content[at]!;
  }
  return text.subarray(0, length);
}

/** @throws InvalidInputError FILE_TOO_LARGE for a file of so many bytes */
export function assertImportSize(bytes: number): void {
  if (bytes <= MAX_IMPORT_BYTES) return;
  throw refused(
    'FILE_TOO_LARGE',
    `The file is larger than ${MAX_IMPORT_BYTES / 1024 / 1024} MB. Split it and import the parts one after another.`,
  );
}

/** Gives each record that has a value to `take`, with the line that it begins in. */
function eachRecord(text: Uint8Array, take: (line: number, values: readonly string[]) => void): void {
  try {
    parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength), {
      bom: true,
      trim: true,
      relax_column_count: true,
      skip_records_with_empty_values: true,
      on_record: (values: string[], { lines }) => {
        take(lines - breaksIn(values), values);
        return null; // It keeps none of them.
      },
    });
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

function breaksIn(values: readonly string[]): number {
  let breaks = 0;
  for (const value of values) for (let at = value.indexOf('\n'); at >= 0; at = value.indexOf('\n', at + 1)) breaks++;
  return breaks;
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

function toRow(line: number, values: readonly string[], columns: readonly (Column | undefined)[]): CsvRow {
  const row: { [column in Column]?: string } & { line: number } = { line };
  for (const [at, column] of columns.entries()) {
    const value = column === 'salt' ? values[at] : values[at]?.trim();
    if (column && value) row[column] = value;
  }
  return row;
}

function refused(code: string, message: string): InvalidInputError {
  return new InvalidInputError(code, message, ['file']);
}
