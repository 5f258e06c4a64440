/**
 * What one writes first: Yoga, Pothos and Prisma over the very tables of ours, planned reads with joins, only the
 * columns that are asked for, ten connections as ours has. No permissions, no limits, no tenants but the one it is told.
 */
import { createServer } from 'node:http';
import SchemaBuilder from '@pothos/core';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import { PrismaPg } from '@prisma/adapter-pg';
import { DateTimeResolver } from 'graphql-scalars';
import { createYoga } from 'graphql-yoga';
import pg from 'pg';
import { PrismaClient } from '../../src/db/generated/client/client.ts';
import type PrismaTypes from '../../src/db/generated/pothos.ts';
import { getDatamodel } from '../../src/db/generated/pothos.ts';

const { DATABASE_URL, PORT, ENVIRONMENT_ID } = process.env;
const environmentId = ENVIRONMENT_ID!;
const prisma = new PrismaClient({ adapter: new PrismaPg(new pg.Pool({ connectionString: DATABASE_URL, max: 10 })) });
const oldestFirst = [{ createdAt: 'asc' as const }, { id: 'asc' as const }];

const builder = new SchemaBuilder<{
  PrismaTypes: PrismaTypes;
  DefaultFieldNullability: false;
  Scalars: { DateTime: { Input: Date; Output: Date } };
}>({
  plugins: [RelayPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  relay: { clientMutationId: 'omit', cursorType: 'String' },
  prisma: { client: prisma, dmmf: getDatamodel(), onUnusedQuery: null },
});
builder.addScalarType('DateTime', DateTimeResolver);

const Permission = builder.prismaObject('Permission', { select: {}, fields: (t) => ({ key: t.exposeString('key') }) });
const Role = builder.prismaObject('Role', {
  select: {},
  fields: (t) => ({
    key: t.exposeString('key'),
    name: t.exposeString('name'),
    permissions: t.field({
      type: [Permission],
      select: (_args, _context, nested) =>
        ({ permissions: { select: { permission: nested(true) }, orderBy: { permission: { key: 'asc' } } } }) as never,
      resolve: (role) => (role as unknown as { permissions: { permission: never }[] }).permissions.map(({ permission }) => permission),
    }),
  }),
});
builder.prismaObject('Organization', {
  select: {},
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    externalId: t.exposeString('externalId', { nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});
builder.prismaObject('Membership', {
  select: {},
  fields: (t) => ({
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    user: t.relation('user'),
    organization: t.relation('organization'),
    roles: t.field({
      type: [Role],
      select: (_args, _context, nested) => ({ roles: { select: { role: nested(true) }, orderBy: { role: { key: 'asc' } } } }) as never,
      resolve: (row) => (row as unknown as { roles: { role: never }[] }).roles.map(({ role }) => role),
    }),
  }),
});
builder.prismaObject('Identity', {
  select: {},
  fields: (t) => ({
    value: t.exposeString('value'),
    isPrimary: t.exposeBoolean('isPrimary'),
    isVerified: t.exposeBoolean('isVerified'),
  }),
});
builder.prismaObject('User', {
  select: {},
  fields: (t) => ({
    id: t.exposeID('id'),
    firstName: t.exposeString('firstName', { nullable: true }),
    lastName: t.exposeString('lastName', { nullable: true }),
    providedId: t.exposeString('providedId', { nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    email: t.string({
      nullable: true,
      select: { identities: { where: { type: 'email', isPrimary: true }, select: { value: true }, take: 1 } },
      resolve: ({ identities }) => identities[0]?.value ?? null,
    }),
    identities: t.relation('identities', { query: { orderBy: oldestFirst } }),
    memberships: t.relation('memberships', { query: { orderBy: oldestFirst } }),
  }),
});

builder.queryType({
  fields: (t) => ({
    users: t.prismaField({
      type: ['User'],
      args: { first: t.arg.int({ required: true }), search: t.arg.string() },
      resolve: (query, _root, { first, search }) =>
        prisma.user.findMany({
          ...query,
          where: { environmentId, ...(search && containing(search)) },
          orderBy: oldestFirst,
          take: first,
        }),
    }),
    user: t.prismaField({
      type: 'User',
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (query, _root, { id }) =>
        prisma.user.findUnique({ ...query, where: { environmentId_id: { environmentId, id: String(id) } } }),
    }),
    organizations: t.prismaConnection({
      type: 'Organization',
      cursor: 'environmentId_id',
      resolve: (query) => prisma.organization.findMany({ ...query, where: { environmentId }, orderBy: oldestFirst }),
    }),
    userPages: t.prismaConnection({
      type: 'User',
      cursor: 'environmentId_id',
      resolve: (query) => prisma.user.findMany({ ...query, where: { environmentId }, orderBy: oldestFirst }),
    }),
    members: t.prismaConnection({
      type: 'Membership',
      cursor: 'environmentId_id',
      args: { organizationId: t.arg.id({ required: true }) },
      resolve: (query, _root, { organizationId }) =>
        prisma.membership.findMany({
          ...query,
          where: { environmentId, organizationId: String(organizationId) },
          orderBy: oldestFirst,
        }),
    }),
  }),
});

function containing(search: string) {
  const contains = { contains: search, mode: 'insensitive' as const };
  return {
    OR: [
      { firstName: contains },
      { lastName: contains },
      { id: contains },
      { providedId: contains },
      { identities: { some: { value: contains } } },
    ],
  };
}

createServer(createYoga({ schema: builder.toSchema(), logging: false, graphiql: false })).listen(Number(PORT), '127.0.0.1');
