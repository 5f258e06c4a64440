/** An import from the upload to the rows it leaves. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runImport } from '../../../src/features/imports/run-import.ts';
import { importUsers } from '../../../src/features/imports/service.ts';
import { verifyPassword } from '../../../src/security/passwords/passwords.ts';
import { codes, counts, type Imports, NOTHING, startImports } from './start-imports.ts';

const MD5_OF_HELLO = '5d41402abc4b2a76b9719d911017c592';
const BCRYPT = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'; // U*U

let imports: Imports;
beforeAll(async () => {
  imports = await startImports();
}, 60_000);
afterAll(() => imports.stop());
beforeEach(() => imports.empty());

describe('an import', () => {
  const EXAMPLE = [
    'email,first_name,last_name,email_verified,hashed_password,hashing_method,external_organization_id',
    `bills@company.com,bill,smith,TRUE,${MD5_OF_HELLO},md5,abc001`,
    `carlosg@company.com,carlos,garcia,TRUE,${BCRYPT},bcrypt,abc001`,
    'lliu@company.com,lee,liu,FALSE,#########,md5,xyz002',
  ].join('\n');

  it('brings in users with their passwords and organizations', async () => {
    const row = await imports.run(EXAMPLE);
    expect(row).toMatchObject({ state: 'completed', totalLines: 3, processedLines: 3, failure: null, fileName: 'users.csv' });
    expect(row.startedAt && row.finishedAt).toBeInstanceOf(Date);
    expect(counts(row)).toEqual({ ...NOTHING, created: 3, warnings: 1 });
    expect(row.issues).toMatchObject([{ line: 4, severity: 'warning', code: 'invalid_hash', column: 'hashed_password' }]);
    expect(await imports.memberships()).toEqual({
      'bills@company.com': ['abc001 member'],
      'carlosg@company.com': ['abc001 member'],
      'lliu@company.com': ['xyz002 member'],
    });
    expect(await imports.prisma.identity.findMany({ orderBy: { normalized: 'asc' } })).toMatchObject([
      { type: 'email', value: 'bills@company.com', isPrimary: true, isVerified: true },
      { type: 'email', value: 'carlosg@company.com', isPrimary: true, isVerified: true },
      { type: 'email', value: 'lliu@company.com', isPrimary: true, isVerified: false },
    ]);
    expect(await verifyPassword((await imports.passwordOf('bills@company.com'))!, 'hello')).toBe(true);
    expect(await verifyPassword((await imports.passwordOf('carlosg@company.com'))!, 'U*U')).toBe(true);
    expect(await imports.passwordOf('lliu@company.com')).toBeNull();
  });

  it('leaves no hash behind and tells the audit log', async () => {
    const row = await imports.upload(EXAMPLE);
    expect((await imports.result(row)).chunks[0]!.rows).not.toContain(MD5_OF_HELLO);
    await runImport(imports.infrastructure, imports.keyOf(row));
    expect((await imports.result(row)).chunks).toMatchObject([{ rows: '', doneAt: expect.any(Date) }]);
    const events = await imports.prisma.auditEvent.findMany({ orderBy: { id: 'asc' } });
    expect(events.map(({ action, actorId, targetId }) => [action, actorId, targetId])).toEqual([
      ['import.created', 'test', row.id],
      ['import.completed', 'import', row.id],
    ]);
  });

  it('changes nothing when it is repeated', async () => {
    await imports.run(EXAMPLE);
    const users = await imports.prisma.user.findMany();
    expect(counts(await imports.run(EXAMPLE))).toEqual({ ...NOTHING, unchanged: 3, warnings: 1 });
    expect(await imports.prisma.user.findMany()).toEqual(users);
    expect(await imports.prisma.membership.count()).toBe(3);
  });

  it('stays in its environment', async () => {
    await imports.run(EXAMPLE, 'other');
    const row = await imports.run('email,external_organization_id\nBILLS@company.com,abc001');
    expect(counts(row)).toEqual({ ...NOTHING, created: 1 });
    expect(Object.keys(await imports.memberships())).toEqual(['bills@company.com']);
    expect(Object.keys(await imports.memberships('other'))).toHaveLength(3);
  });

  it('keeps an address as it was typed, and all three kinds of identity', async () => {
    await imports.run('email,phone,username,phone_verified,provided_id\nAda@Example.com,+61555111555,Ada,TRUE,7');
    const user = await imports.prisma.user.findFirstOrThrow({ include: { identities: { orderBy: { type: 'asc' } } } });
    expect(user.providedId).toBe('7');
    expect(user.identities).toMatchObject([
      { type: 'email', value: 'Ada@Example.com', normalized: 'ada@example.com', isPrimary: true, isVerified: false },
      { type: 'phone', value: '+61555111555', normalized: '+61555111555', isPrimary: true, isVerified: true },
      { type: 'username', value: 'Ada', normalized: 'ada', isPrimary: true, isVerified: false },
    ]);
  });

  it('refuses a bad file before it keeps anything', async () => {
    await expect(imports.upload('email\n"a@example.com')).rejects.toMatchObject({ code: 'BAD_CSV' });
    expect(await imports.prisma.import.count()).toBe(0);
  });

  it('needs the permission', async () => {
    const actor = {
      kind: 'machine',
      applicationId: 'app',
      environmentId: 'env',
      businessId: 'biz',
      permissions: new Set(['read:imports']),
    } as const;
    const call = importUsers({ ...imports.ctx, actor }, { fileName: 'x.csv', content: new TextEncoder().encode(EXAMPLE) });
    await expect(call).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('organizations, roles and permissions', () => {
  it('are comma lists, with default roles for members who are given none', async () => {
    const row = await imports.run(
      [
        'email,external_organization_id,roles,permissions',
        'a@example.com,"abc001,xyz002","admin, editor",read:reports',
        'b@example.com,abc001,,read:reports',
        'c@example.com,,,',
      ].join('\n'),
    );
    expect(counts(row)).toEqual({ ...NOTHING, created: 3 });
    expect(await imports.memberships()).toEqual({
      'a@example.com': ['abc001 admin editor +read:reports', 'xyz002 admin editor +read:reports'],
      'b@example.com': ['abc001 member +read:reports'],
      'c@example.com': ['main member'],
    });
  });

  it('differ from line to line of the same user', async () => {
    const row = await imports.run(
      [
        'id,email,external_organization_id,role_key',
        '1,a@example.com,abc001,admin',
        '2,b@example.com,abc001,',
        '1,a@example.com,xyz002,editor',
      ].join('\n'),
    );
    expect(counts(row)).toEqual({ ...NOTHING, created: 2 });
    expect(await imports.memberships()).toEqual({ 'a@example.com': ['abc001 admin', 'xyz002 editor'], 'b@example.com': ['abc001 member'] });
  });

  it('are added to users who exist, by a second file of ids', async () => {
    await imports.run('id,email,external_organization_id,role_key\n1,a@example.com,abc001,admin\n2,b@example.com,,');
    const row = await imports.run(
      'id,roles,permissions,external_organization_id\n1,editor,read:reports,"abc001,xyz002"\n2,admin,,abc001\n',
    );
    expect(counts(row)).toEqual({ ...NOTHING, updated: 2 });
    expect(await imports.memberships()).toEqual({
      'a@example.com': ['abc001 admin editor +read:reports', 'xyz002 editor +read:reports'],
      'b@example.com': ['abc001 admin', 'main member'],
    });
  });

  it('are left out with a warning where they do not exist, and give nothing in another organization', async () => {
    const row = await imports.run(
      [
        'email,external_organization_id,role_key,permission_key',
        'a@example.com,abc001,"admin,Admin",nothing',
        'b@example.com,nowhere,admin,read:reports',
        'c@example.com,"abc001,nowhere",editor,',
      ].join('\n'),
    );
    expect(counts(row)).toEqual({ ...NOTHING, created: 3, warnings: 4 });
    expect(codes(row)).toEqual([
      '2 warning role_not_found',
      '2 warning permission_not_found',
      '3 warning organization_not_found',
      '4 warning organization_not_found',
    ]);
    expect(row.issues.map(({ message }) => message).join()).not.toContain('@');
    expect(await imports.memberships()).toEqual({
      'a@example.com': ['abc001 admin'],
      'b@example.com': ['main member'],
      'c@example.com': ['abc001 editor', 'main member'],
    });
  });

  it('are no more than a member may be given by hand, however many files bring them', async () => {
    const keys = (count: number) => Array.from({ length: count }, (_, at) => `key-${at}`);
    const [role, permission] = [imports.prisma.role, imports.prisma.permission];
    await role.createMany({
      data: keys(101).map((key) => ({ businessId: 'biz', id: `role_${key}`, key, name: key })),
      skipDuplicates: true,
    });
    await permission.createMany({
      data: keys(101).map((key) => ({ businessId: 'biz', id: `perm_${key}`, key, name: key })),
      skipDuplicates: true,
    });
    const file = (given: readonly string[]) =>
      `email,external_organization_id,roles,permissions\na@example.com,abc001,"${given}","${given}"\nb@example.com,abc001,${given[0]},`;
    await imports.run(file(keys(100)));
    const row = await imports.run(file(keys(101).slice(100)));
    expect(codes(row)).toEqual(['2 warning too_many', '2 warning too_many']);
    expect(row.issues.map(({ column }) => column)).toEqual(['role_key', 'permission_key']);
    expect(counts(row)).toEqual({ ...NOTHING, updated: 1, unchanged: 1, warnings: 2 });
    expect(codes(await imports.run(file(keys(100))))).toEqual([]);
    const held = await imports.prisma.membership.findMany({
      select: { _count: { select: { roles: true, permissions: true } } },
      orderBy: { id: 'asc' },
    });
    expect(held.map(({ _count: { roles, permissions } }) => [roles, permissions])).toEqual([
      [100, 100],
      [2, 0],
    ]);
    await imports.empty();
    await role.deleteMany({ where: { key: { startsWith: 'key-' } } });
    await permission.deleteMany({ where: { key: { startsWith: 'key-' } } });
  });

  it('default to none where the default organization takes nobody in, and for users who exist', async () => {
    const where = { environmentId_id: { environmentId: 'env', id: 'org_main' } };
    await imports.prisma.organization.update({ where, data: { isAutoMembershipEnabled: false } });
    await imports.run('email\na@example.com');
    await imports.prisma.organization.update({ where, data: { isAutoMembershipEnabled: true } });
    expect(counts(await imports.run('email\na@example.com'))).toEqual({ ...NOTHING, unchanged: 1 });
    expect(await imports.memberships()).toEqual({ 'a@example.com': [] });
  });
});

describe('users who exist', () => {
  it('keep their profile, identities and password', async () => {
    await imports.run(`id,email,first_name,hashed_password,hashing_method\n1,a@example.com,Ada,${MD5_OF_HELLO},md5`);
    const row = await imports.run(
      `id,email,phone,first_name,hashed_password,hashing_method\n1,new@example.com,+61555111555,Eve,${BCRYPT},bcrypt`,
    );
    expect(counts(row)).toEqual({ ...NOTHING, unchanged: 1 });
    expect(await imports.prisma.user.findMany()).toMatchObject([{ firstName: 'Ada' }]);
    expect(await imports.prisma.identity.findMany()).toMatchObject([{ value: 'a@example.com' }]);
    expect(await imports.passwordOf('a@example.com')).toMatchObject({ method: 'md5' });
  });

  it.each([
    ['id', '1'],
    ['email', 'A@example.com'],
    ['phone', '+61555111555'],
  ])('are found by %s and given a password they lack', async (column, value) => {
    await imports.run('id,email,phone\n1,a@example.com,+61555111555');
    const file = `${column},hashed_password,hashing_method\n${value},${BCRYPT},bcrypt`;
    expect(counts(await imports.run(file))).toEqual({ ...NOTHING, updated: 1 });
    expect(await imports.passwordOf('a@example.com')).toMatchObject({ method: 'bcrypt', hash: BCRYPT });
    expect(counts(await imports.run(file))).toEqual({ ...NOTHING, unchanged: 1 });
  });

  it('are found by username too', async () => {
    await imports.run('email,username\na@example.com,Ada');
    expect(counts(await imports.run('email,username,external_organization_id\n,ADA,abc001'))).toEqual({ ...NOTHING, updated: 1 });
  });

  it.each([
    ['duplicate_email', 'the id of one and the email of another', '1,b@example.com,,'],
    ['duplicate_email', 'the email of one with another id', '3,a@example.com,,'],
    ['duplicate_phone', 'the phone of one with another email', ',c@example.com,+61555111551,'],
    ['duplicate_phone', 'the id of one and the phone of another', '2,,+61555111551,'],
    ['invalid_username', 'the username of one with another email', ',d@example.com,,ADA'],
    ['invalid_username', 'the email of one and the username of another', ',b@example.com,,ada'],
    ['user_not_found', 'an id alone that nobody has', '4,,,'],
    ['missing_identity', 'a username alone that nobody has', ',,,nobody'],
  ])('reject with %s a line with %s', async (code, _what, line) => {
    const header = 'id,email,phone,username';
    await imports.run([header, '1,a@example.com,+61555111551,ada', '2,b@example.com,+61555111552,bob'].join('\n'));
    const row = await imports.run(`${header}\n${line}`);
    expect(codes(row)).toEqual([`2 rejected ${code}`]);
    expect(counts(row)).toEqual({ ...NOTHING, rejected: 1 });
    expect(await imports.prisma.user.count()).toBe(2);
  });
});

describe('lines that are rejected', () => {
  it('are told one by one while the others are imported', async () => {
    const row = await imports.run(
      [
        'id,email,phone,username,email_verified,external_organization_id,role_key,hashed_password',
        '1,a@example.com,,,TRUE,abc001,,',
        '1,x@example.com,,,,xyz002,,',
        '2,a@example.com,,,,xyz002,,',
        '1,a@example.com,,,,abc001,,',
        ',not-an-address,0555,,maybe,,admin,###',
        ',,,,,abc001,,',
        ',b@example.com,,x,,,,',
        ',c@example.com,,,,,,',
      ].join('\n'),
    );
    expect(codes(row)).toEqual([
      '3 rejected duplicate_id',
      '4 rejected duplicate_email',
      '5 rejected duplicate_line',
      '6 rejected invalid_email',
      '6 rejected invalid_phone',
      '6 rejected invalid_boolean',
      '6 rejected missing_organization',
      '7 rejected missing_identity',
      '8 rejected invalid_username',
    ]);
    expect(counts(row)).toEqual({ ...NOTHING, created: 2, rejected: 6 });
    expect(row.processedLines).toBe(8);
  });
});
