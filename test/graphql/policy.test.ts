import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import SchemaBuilder from '@pothos/core';
import {
  buildSchema,
  type GraphQLField,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  type StringValueNode,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { isPermission, type PermissionName } from '../../src/access/permissions.ts';
import type { GraphContext } from '../../src/graphql/context.ts';
import { policyPlugin } from '../../src/graphql/policy.ts';
import { printSchema, schema } from '../../src/graphql/schema.ts';
import { FEATURES, KINDS } from './cases/index.ts';

const printed = readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8');
const printedSchema = buildSchema(printed);

interface Coordinate {
  readonly name: string;
  readonly field: GraphQLField<unknown, unknown>;
  readonly permission: string | undefined;
}

const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
const fields: Coordinate[] = types
  .filter((type) => isObjectType(type) || isInterfaceType(type))
  .flatMap((type) =>
    Object.values(type.getFields()).map((field) => ({
      name: `${type.name}.${field.name}`,
      field,
      permission: field.extensions['permission'] as string | undefined,
    })),
  );
const gated = fields.filter(({ permission }) => permission);
const mutations = Object.values(schema.getMutationType()!.getFields());

const nodes = Object.keys(KINDS);

/** Everything that takes no permission. A field that joins this list is open to every caller who reaches its object. */
const OPEN = [
  // Who the caller is, and what looks for itself only where the caller may read.
  ...['Query.viewer', 'Query.node', 'Node.id'],
  // What callers may do themselves; for others it is explained to whom may change the team.
  ...['Business.viewerPermissions', 'Environment.viewerPermissions', 'Query.explainAccess', 'AccessExplanation.kind'],
  ...[
    'AccessExplanation.isAllowed',
    'AccessExplanation.coordinates',
    'AccessExplanation.cost',
    'AccessCoordinate.coordinate',
    'AccessCoordinate.path',
  ],
  ...['AccessCoordinate.permission', 'AccessCoordinate.openBecause', 'AccessCoordinate.isAllowed', 'AccessCoordinate.refusal'],
  ...['AccessCoordinate.businessId', 'AccessCoordinate.environmentId', 'AccessCoordinate.grantedBy', 'AccessCoordinate.grantableBy'],
  ...['AccessGrant.teamRoles', 'AccessGrant.scope'],
  ...['Viewer.kind', 'Viewer.user', 'Viewer.application', 'Viewer.scopes', 'Viewer.businesses'],
  ...['ViewerUser.id', 'ViewerUser.firstName', 'ViewerUser.lastName', 'ViewerUser.email'],
  // What a dry run counts of the caller's own change.
  ...['ChangePreview.endedSessions', 'ChangePreview.revokedTokens', 'ChangePreview.rows'],
  ...['MemberPreview.gained', 'MemberPreview.lost', 'MemberPreview.memberId', 'MemberPreview.userId'],
  ...['RowPreview.created', 'RowPreview.deleted', 'RowPreview.kind', 'RowPreview.updated'],
  // The id of what was reached through a gated field.
  ...nodes.map((type) => `${type}.id`),
  ...FEATURES.flatMap(({ open = [] }) => open),
];

/** Fields that only carry: pages of a list, and errors about the caller's own input. */
const CARRIERS =
  /^(\w+Connection\.(edges|nodes|pageInfo|totalCount)|\w+Edge\.(cursor|node)|PageInfo\.\w+|\w+Payload\.errors|\w+Error\.(code|message|path))$/;

/** What a gated mutation answers with: objects whose own fields are gated, and secrets that are shown this once. */
function isCarriedByPayload({ name, field }: Coordinate): boolean {
  const mutation = /^(\w+)Payload\./.exec(name)?.[1];
  if (!mutation || !schema.getMutationType()!.getFields()[mutation[0]!.toLowerCase() + mutation.slice(1)]) return false;
  const carried = getNamedType(field.type).name;
  return (
    nodes.includes(carried) ||
    carried === 'ChangePreview' ||
    name.endsWith('Payload.deletedId') ||
    carried.endsWith('Payload') ||
    SECRETIVE.includes(name)
  );
}

const SECRETIVE = FEATURES.flatMap(({ secretive = [] }) => secretive);

describe('the policy', () => {
  test('every field takes a permission, or is listed here as open', () => {
    const open = fields.filter(
      (coordinate) => !coordinate.permission && !CARRIERS.test(coordinate.name) && !isCarriedByPayload(coordinate),
    );
    expect(open.map(({ name }) => name).sort()).toEqual([...OPEN].sort());
  });

  test('every permission is a word of the vocabulary', () => {
    expect(gated.length).toBeGreaterThan(100);
    expect(gated.filter(({ permission }) => !isPermission(permission!))).toEqual([]);
  });

  test.each(gated)('$name is nullable, and says in the schema that it needs $permission', ({ name, field, permission }) => {
    expect(isNonNullType(field.type)).toBe(false);
    expect(field.description).toMatch(new RegExp(`\\S\\n\\nNeeds the permission \`${permission}\`\\.$`));
    expect(requirementOf(name)).toBe(permission);
  });

  test('no field that is open says that it needs something', () => {
    const pretenders = fields.filter(({ name, permission }) => !permission && requirementOf(name));
    expect(pretenders).toEqual([]);
  });

  test('there are no subscriptions, whose events would pass it by', () => {
    expect(schema.getSubscriptionType()).toBeUndefined();
  });

  test('what identifies a person to the outside takes a permission of its own', () => {
    const contacts = ['User.email', 'User.identities', 'Identity.type', 'Identity.value', 'Identity.isPrimary', 'Identity.isVerified'];
    expect(gated.filter(({ permission }) => permission === 'read:user_contacts').map(({ name }) => name)).toEqual(
      expect.arrayContaining(contacts),
    );
  });

  test('no field holds a password, a hash or a token; a secret is only in the answer of what made it', () => {
    const secretive = fields.map(({ name }) => name).filter((name) => /password|hash|token(?!Lifetime)|secret/i.test(name.split('.')[1]!));
    expect(secretive.sort()).toEqual([...SECRETIVE, 'ChangePreview.revokedTokens'].sort());
  });

  test('a field without a policy stops the build of the schema', () => {
    expect(() => schemaWith({})).toThrow('Query.thing declares neither a permission nor why it is open.');
    expect(schemaWith({ open: 'a test' }).getQueryType()!.getFields()['thing']!.extensions).not.toHaveProperty('permission');
    expect(schemaWith({ permission: 'read:users' }).getQueryType()!.getFields()['thing']!.extensions).toMatchObject({
      permission: 'read:users',
      directives: { requires: { permission: 'read:users' } },
    });
  });
});

/** What a mutation's name may begin with. */
const VERBS = [
  ...['accept', 'add', 'bind', 'cancel', 'convert', 'copy', 'create', 'delete', 'disable', 'enable', 'end', 'enter', 'import', 'invite'],
  ...[
    'leave',
    'refresh',
    'register',
    'remove',
    'replace',
    'request',
    'resend',
    'reset',
    'restore',
    'revoke',
    'rotate',
    'send',
    'set',
    'suspend',
  ],
  ...['unlock', 'update', 'verify'],
];

describe('the schema', () => {
  test('is the one in schema.graphql', () => {
    expect(printSchema()).toBe(printed);
  });

  test('describes every type, field, argument and value', () => {
    const gaps = types.flatMap((type) => [
      ...(type.description ? [] : [type.name]),
      ...(isEnumType(type)
        ? type
            .getValues()
            .filter((value) => !value.description)
            .map((value) => `${type.name}.${value.name}`)
        : []),
      ...(isInputObjectType(type)
        ? Object.values(type.getFields())
            .filter((field) => !field.description)
            .map((field) => `${type.name}.${field.name}`)
        : []),
    ]);
    for (const { name, field } of fields) {
      if (!field.description) gaps.push(name);
      for (const argument of field.args) if (!argument.description) gaps.push(`${name}(${argument.name})`);
    }
    expect(gaps).toEqual([]);
  });

  test.each(mutations)('$name takes one input of its own and answers with a payload of its own', (mutation) => {
    const noun = mutation.name[0]!.toUpperCase() + mutation.name.slice(1);
    expect(mutation.name).toMatch(new RegExp(`^(${VERBS.join('|')})[A-Z][A-Za-z]+$`));
    expect(mutation.args.map(({ name, type }) => `${name}: ${type}`)).toEqual([`input: ${noun}Input!`]);
    expect(String(mutation.type)).toBe(`${noun}Payload`);

    const payload = schema.getType(`${noun}Payload`);
    if (!isObjectType(payload)) throw new Error('The payload is an object.');
    for (const field of Object.values(payload.getFields()).filter(({ name }) => name !== 'errors' && name !== 'results'))
      expect({ name: field.name, nullable: !isNonNullType(field.type) }).toEqual({ name: field.name, nullable: true });

    const error = schema.getType(`${noun}Error`);
    expect(String(payload.getFields()['errors']!.type)).toBe(error ? `[${noun}Error!]!` : '[UserError!]!');
    if (!isObjectType(error)) return; // Nothing can be wrong with its input.
    expect(error.getInterfaces().map(String)).toEqual(['UserError']);
    expect(Object.fromEntries(Object.values(error.getFields()).map(({ name, type }) => [name, String(type)]))).toEqual({
      code: `${noun}ErrorCode!`,
      message: 'String!',
      path: '[String!]!',
    });
  });

  test('every list that can grow is read page by page', () => {
    const previews = [
      'ChangePreview.members',
      'ChangePreview.rows',
      'ChangePreview.teamMembers',
      'MemberPreview.gained',
      'MemberPreview.lost',
    ];
    const explained = ['AccessCoordinate.grantableBy', 'AccessCoordinate.path', 'AccessExplanation.coordinates', 'AccessGrant.teamRoles'];
    const permissions = ['Business.viewerPermissions', 'Environment.viewerPermissions', 'Viewer.scopes'];
    const bounded = [...previews, ...explained, ...permissions, ...FEATURES.flatMap(({ shortLists = [] }) => shortLists)];
    const lists = fields.filter(
      ({ name, field }) => String(field.type).startsWith('[') && !CARRIERS.test(name) && !name.endsWith('Payload.results'),
    );
    expect(lists.map(({ name }) => name).sort()).toEqual(bounded.sort());
  });
});

/** The permission that schema.graphql requires for a field. */
function requirementOf(coordinate: string): string | undefined {
  const [type, name] = coordinate.split('.');
  const printedType = printedSchema.getType(type!);
  if (!isObjectType(printedType) && !isInterfaceType(printedType)) throw new Error(`${type} is not in schema.graphql.`);
  const { directives } = printedType.getFields()[name!]!.astNode!;
  const requires = directives?.find((directive) => directive.name.value === 'requires');
  return requires && (requires.arguments![0]!.value as StringValueNode).value;
}

/** A schema of one field with this policy, made by the plugin that makes the real one. */
function schemaWith(policy: { permission?: PermissionName; open?: string }) {
  const builder = new SchemaBuilder<{ Context: GraphContext }>({ plugins: [policyPlugin] } as never); // Without Prisma's options, which its types ask of every builder.
  builder.queryType({ fields: (t) => ({ thing: t.string({ ...policy, nullable: true, resolve: () => 'a thing' }) }) });
  return builder.toSchema();
}
