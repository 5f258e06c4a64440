/** The checks of a line by itself, and of the lines of a file against one another. */
import { describe, expect, it } from 'vitest';
import type { CsvRow } from '../../../src/features/imports/csv.ts';
import { groupByPerson } from '../../../src/features/imports/group-lines.ts';
import { type CheckedLine, validateRow } from '../../../src/features/imports/validate-row.ts';

const MD5 = '5d41402abc4b2a76b9719d911017c592';
const check = (row: Omit<CsvRow, 'line'>) => validateRow({ line: 2, ...row });
const codes = (row: Omit<CsvRow, 'line'>) => check(row).issues.map(({ severity, code, column }) => [severity, code, column]);

describe('validateRow', () => {
  it('brings the values into the form they are kept in', () => {
    const { row, issues } = check({
      id: '7',
      email: 'Ada@Example.com',
      phone: '+61555111555',
      username: 'Ada_L',
      email_verified: 'True',
      phone_verified: 'FALSE',
      first_name: 'Ada',
      external_organization_id: 'abc001, xyz002,,abc001',
      role_key: 'admin',
      permission_key: 'read:x,write:x',
      hashed_password: MD5,
      hashing_method: 'MD5',
      salt: 'pepper',
      salt_position: 'Suffix',
    });
    expect(issues).toEqual([]);
    expect(row).toEqual({
      line: 2,
      keys: { id: '7', email: 'ada@example.com', phone: '+61555111555', username: 'ada_l' },
      email: 'Ada@Example.com',
      username: 'Ada_L',
      isEmailVerified: true,
      isPhoneVerified: false,
      firstName: 'Ada',
      organizations: ['abc001', 'xyz002'],
      roles: ['admin'],
      permissions: ['read:x', 'write:x'],
      password: { method: 'md5', hash: MD5, salt: 'pepper', saltPosition: 'suffix', saltFormat: null },
    });
  });

  it('takes what finds a user without a contact', () => {
    expect(check({ id: '7', hashed_password: MD5, hashing_method: 'md5' }).row?.password?.hash).toBe(MD5);
    expect(check({ username: 'ada' }).row).toBeDefined();
  });

  it.each([
    ['missing_identity', undefined, { first_name: 'Ada' }],
    ['invalid_email', 'email', { email: 'ada' }],
    ['invalid_email', 'email', { email: 'ada @example.com' }],
    ['invalid_email', 'email', { email: `${'a'.repeat(65)}@example.com` }],
    ['invalid_phone', 'phone', { phone: '+61 555 111 555' }],
    ['invalid_phone', 'phone', { phone: '0555111555' }],
    ['invalid_phone', 'phone', { phone: '+0555111555' }],
    ['invalid_phone', 'phone', { phone: '+1234567890123456' }],
    ['invalid_username', 'username', { email: 'a@example.com', username: 'a' }],
    ['invalid_username', 'username', { email: 'a@example.com', username: 'a b' }],
    ['invalid_username', 'username', { email: 'a@example.com', username: 'a'.repeat(65) }],
    ['invalid_boolean', 'email_verified', { email: 'a@example.com', email_verified: 'yes' }],
    ['invalid_boolean', 'phone_verified', { email: 'a@example.com', phone_verified: '1' }],
    ['missing_organization', 'external_organization_id', { email: 'a@example.com', role_key: 'admin' }],
    ['missing_organization', 'external_organization_id', { email: 'a@example.com', permission_key: 'read', external_organization_id: ',' }],
    ['invalid_text', 'id', { id: 'x'.repeat(201) }],
    ['invalid_text', 'first_name', { id: '1', first_name: 'a\u0007' }],
    ['too_many', 'role_key', { id: '1', external_organization_id: 'a', role_key: Array.from({ length: 101 }, (_, at) => at).join() }],
    ['invalid_text', 'role_key', { id: '1', external_organization_id: 'a', role_key: `a,${'x'.repeat(201)}` }],
  ] as [string, string | undefined, Omit<CsvRow, 'line'>][])('rejects with %s', (code, column, row) => {
    expect(codes(row)).toEqual([['rejected', code, column]]);
    expect(check(row).row).toBeUndefined();
  });

  it('tells everything that a line is rejected for, and nothing of its password', () => {
    expect(codes({ email: 'x', phone: 'y', email_verified: 'z', hashed_password: '###' }).map(([, code]) => code)).toEqual([
      'invalid_email',
      'invalid_phone',
      'invalid_boolean',
    ]);
  });

  it.each([
    ['missing_hashing_method', 'hashing_method', { hashed_password: MD5 }],
    ['unsupported_hashing_method', 'hashing_method', { hashed_password: MD5, hashing_method: 'rot13' }],
    ['invalid_hash', 'hashed_password', { hashed_password: '#########', hashing_method: 'md5' }],
    ['missing_salt_position', 'salt_position', { hashed_password: MD5, hashing_method: 'md5', salt: 'x' }],
    ['invalid_salt_position', 'salt_position', { hashed_password: MD5, hashing_method: 'md5', salt: 'x', salt_position: 'top' }],
    [
      'invalid_salt_format',
      'salt_format',
      { hashed_password: MD5, hashing_method: 'md5', salt: 'x', salt_position: 'prefix', salt_format: 'hex' },
    ],
  ] as [string, string, Omit<CsvRow, 'line'>][])('takes the user without the password for %s', (code, column, password) => {
    const { row, issues } = check({ email: 'a@example.com', ...password });
    expect(row).toMatchObject({ email: 'a@example.com', password: undefined });
    expect(issues).toMatchObject([{ severity: 'warning', code, column }]);
    expect(issues[0]!.message).not.toContain(MD5);
  });
});

describe('groupByPerson', () => {
  const group = (...rows: Omit<CsvRow, 'line'>[]) => {
    const { groups, add } = groupByPerson();
    for (const [at, row] of rows.entries()) add(validateRow({ line: at + 2, ...row }));
    return groups.map((lines) =>
      lines.map((text) => {
        const { line, issues } = JSON.parse(text) as CheckedLine;
        return [line, ...issues.map(({ code }) => code)].join(' ');
      }),
    );
  };

  it('keeps the lines of a person together, whichever way they find it', () => {
    const rows: Omit<CsvRow, 'line'>[] = [
      { id: '1', email: 'a@example.com', external_organization_id: 'x' },
      { id: '2', email: 'b@example.com', external_organization_id: 'x' },
      { id: '1', external_organization_id: 'y' },
      { email: 'A@example.com', external_organization_id: 'z' },
      { email: 'b@example.com' },
    ];
    expect(group(...rows)).toEqual([
      ['2', '4', '5'],
      ['3', '6'],
    ]);
  });

  it.each([
    ['duplicate_id', { id: '1', email: 'a@example.com' }, { id: '1', email: 'b@example.com' }],
    ['duplicate_email', { id: '1', email: 'a@example.com' }, { id: '2', email: 'a@example.com' }],
    ['duplicate_phone', { email: 'a@example.com', phone: '+61555111555' }, { email: 'b@example.com', phone: '+61555111555' }],
    ['invalid_username', { email: 'a@example.com', username: 'ada' }, { email: 'b@example.com', username: 'ADA' }],
    ['duplicate_line', { email: 'a@example.com' }, { email: 'a@example.com' }],
    ['duplicate_line', { id: '1', external_organization_id: 'x,y' }, { id: '1', external_organization_id: 'y' }],
  ] as [string, Omit<CsvRow, 'line'>, Omit<CsvRow, 'line'>][])('rejects the later of two lines with %s', (code, first, second) => {
    expect(group(first, second)).toEqual([['2'], [`3 ${code}`]]);
  });

  it('rejects a line whose id and email belong to two people', () => {
    const people = [
      { id: '1', email: 'a@example.com' },
      { id: '2', email: 'b@example.com' },
    ];
    expect(group(...people, { id: '1', email: 'b@example.com' })).toEqual([['2'], ['3'], ['4 duplicate_email']]);
  });

  it('learns nothing from a line that is rejected', () => {
    expect(group({ email: 'a@example.com', phone: '0' }, { email: 'a@example.com' })).toEqual([['2 invalid_phone'], ['3']]);
  });
});
