/** Reading files: what is understood, and each way a whole file is refused. */
import { describe, expect, it } from 'vitest';
import { type CsvRow, MAX_IMPORT_BYTES, MAX_IMPORT_LINES, readCsv } from '../../../src/features/imports/csv.ts';
import { InvalidInputError } from '../../../src/kernel/errors.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function parse(text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  readCsv(bytes(text), (row) => void rows.push(row));
  return rows;
}

function refusal(content: Uint8Array): InvalidInputError {
  try {
    readCsv(content, () => {});
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
  throw new Error('The file was not refused.');
}

describe('readCsv', () => {
  it('reads the columns by their names, in any order and case, and leaves out what is empty', () => {
    expect(parse(' First_Name ,EMAIL, favourite_colour\nAda , ada@example.com ,red\n,grace@example.com,')).toEqual([
      { line: 2, first_name: 'Ada', email: 'ada@example.com' },
      { line: 3, email: 'grace@example.com' },
    ]);
  });

  it('knows the other names of id, role_key and permission_key', () => {
    expect(parse('provided_id,roles,permissions\n7,"admin,user",read')).toEqual([
      { line: 2, id: '7', role_key: 'admin,user', permission_key: 'read' },
    ]);
  });

  it('takes a byte order mark, Windows line ends and no line end at the last line', () => {
    expect(parse('\ufeffemail,last_name\r\na@example.com,Ä\r\nb@example.com,"x"')).toEqual([
      { line: 2, email: 'a@example.com', last_name: 'Ä' },
      { line: 3, email: 'b@example.com', last_name: 'x' },
    ]);
  });

  it.each(['\n', '\r\n'])('numbers lines as an editor does, through quoted breaks and empty lines (%j)', (end) => {
    const text = ['email,first_name', 'a@example.com,"A', '', '""B"""', '', '  ', ',', 'c@example.com,"C"', 'd@example.com,D'].join(end);
    expect(parse(text)).toEqual([
      { line: 2, email: 'a@example.com', first_name: 'A\n\n"B"' },
      { line: 8, email: 'c@example.com', first_name: 'C' },
      { line: 9, email: 'd@example.com', first_name: 'D' },
    ]);
  });

  it('keeps the spaces of a quoted salt, where they are part of it', () => {
    expect(parse('email,salt,first_name\na@example.com," x "," y "')).toEqual([
      { line: 2, email: 'a@example.com', salt: ' x ', first_name: 'y' },
    ]);
  });

  it.each([
    ['EMPTY_FILE', '', 'empty'],
    ['EMPTY_FILE', '\r\n\n', 'empty'],
    ['EMPTY_FILE', 'email,first_name\n,\n', 'no lines'],
    ['MISSING_HEADER', 'first_name,username\nAda,ada', 'email, phone or id'],
    ['MISSING_HEADER', 'ada@example.com\ngrace@example.com', 'email, phone or id'],
    ['BAD_CSV', 'email,id,provided_id\na@example.com,1,1', 'id or provided_id more than once'],
    ['BAD_CSV', 'email,first_name\na@example.com,A\nb@example.com,B,C', 'Line 3 has 3 values where the header has 2'],
    ['BAD_CSV', 'email,first_name\n"a@example.com', 'Line 2: the file ends inside a quoted value'],
    ['BAD_CSV', 'email,first_name\na@example.com,A\nb@example.com,B"B', 'Line 3: there is a double quote inside'],
    ['BAD_CSV', 'email,first_name\nb@example.com,"B"B', 'Line 2: there is text after'],
    ['BAD_ENCODING', 'email\na@example.com\0', 'UTF-8'],
  ])('refuses with %s: %j', (code, text, message) => {
    const error = refusal(bytes(text));
    expect(error).toMatchObject({ code, inputPath: ['file'] });
    expect(error.message).toContain(message);
  });

  it('refuses other encodings', () => {
    expect(refusal(Buffer.from('email\nzoë@example.com', 'latin1')).code).toBe('BAD_ENCODING');
    expect(refusal(Buffer.from('\ufeffemail\na@example.com', 'utf16le')).code).toBe('BAD_ENCODING');
    expect(refusal(Buffer.from('email\na@example.com', 'utf16le')).code).toBe('BAD_ENCODING');
  });

  it('never quotes a value of the file', () => {
    expect(refusal(bytes('email,hashed_password\na@example.com,secret"hash')).message).not.toContain('secret');
  });

  it('refuses a file above the limit before it reads it', () => {
    const content = new Uint8Array(MAX_IMPORT_BYTES + 1);
    expect(refusal(content).code).toBe('FILE_TOO_LARGE');
    expect(refusal(content.subarray(1)).code).toBe('BAD_ENCODING');
  });

  it.each(['a', '"', ''])('refuses a file of more lines than memory is there for, before it takes it apart (%j)', (line) => {
    const error = refusal(bytes(`email\n${`${line}\n`.repeat(MAX_IMPORT_LINES)}`));
    expect(error).toMatchObject({ code: 'FILE_TOO_LARGE', inputPath: ['file'] });
    expect(error.message).toContain('2500000 lines');
  });
});
