/** Environments in the graph: where a tenant's users, organizations, applications and imports are found. */
import { environmentsWith, permissionsOver } from '../../access/authorize.ts';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, PLAN_CODES, TEXT_CODES } from '../../graphql/payload.ts';
import { issuerOf } from '../../kernel/issuer.ts';
import { createEnvironment, deleteEnvironment, updateEnvironment } from './service.ts';

const EnvironmentKind = builder.enumType('EnvironmentKind', {
  description: 'What an environment is for.',
  values: {
    PRODUCTION: { value: 'production', description: 'The one that real people use. Every business has exactly one.' },
    NON_PRODUCTION: { value: 'non_production', description: 'For development and tests.' },
    ACCOUNT: { value: 'account', description: 'The reserved one where team members sign in.' },
  },
});

export const Environment = builder.prismaObject('Environment', {
  description: 'A tenant: its own issuer, users, organizations, applications and keys.',
  interfaces: [Node],
  select: { id: true, businessId: true },
  permission: 'read:environments',
  tenant: ({ id }: { id: string }) => ({ environmentId: id }),
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The environment’s id.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    kind: t.field({
      type: EnvironmentKind,
      nullable: true,
      description: 'What it is for.',
      select: { kind: true },
      resolve: ({ kind }) => kind as 'production',
    }),
    domain: t.exposeString('domain', { nullable: true, description: 'Names its issuer.' }),
    issuer: t.string({
      nullable: true,
      description: 'Its OpenID issuer, with no trailing slash.',
      select: { domain: true, isPrimary: true },
      resolve: (row, _args, { services }) => issuerOf(services.config, row),
    }),
    isLive: t.exposeBoolean('isLive', {
      nullable: true,
      description: 'Whether it is said that real people use it. A mark for the team: nothing behaves differently.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
    version: t.exposeInt('version', {
      nullable: true,
      description: 'Counts the changes of the environment and of its policies: what `expectedVersion` takes.',
    }),
    viewerPermissions: t.stringList({
      open: 'everyone may know what they may do themselves',
      description: 'The permissions that the caller holds over the environment, sorted.',
      resolve: ({ id }, _args, { services }) => permissionsOver(services.actor, { environmentId: id }),
    }),
    business: t.relation('business', { nullable: true, permission: 'read:businesses', description: 'The business it belongs to.' }),
    apis: t.relatedConnection('apis', {
      cursor: 'environmentId_id',
      totalCount: true,
      nullable: true,
      permission: 'read:apis',
      description: 'The APIs that tokens can be made out to, oldest first.',
      query: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
    }),
  }),
});

registerNode('environment', {
  typeName: 'Environment',
  permission: 'read:environments',
  tenant: { self: 'environment' },
  find: (prisma, query) => prisma.environment.findFirst(query),
});

const reachable = (id: string, within: string[]) => ({ AND: [{ id }, { id: { in: within } }] });

builder.queryField('environment', (t) =>
  t.prismaField({
    type: 'Environment',
    nullable: true,
    permission: 'read:environments',
    description: 'One environment, or null where there is none within the caller’s reach.',
    args: { id: t.arg.id({ description: 'Absent: the machine token’s own.' }) },
    resolve: (query, _root, { id }, { services }) => {
      const wanted = id ?? (services.actor.kind === 'machine' ? services.actor.environmentId : '');
      return services.database.prisma.environment.findFirst({
        ...query,
        where: reachable(wanted, environmentsWith(services.actor, 'read:environments')),
      });
    },
  }),
);

defineMutation({
  name: 'createEnvironment',
  description: 'Makes a non-production environment with an issuer of its own.',
  policy: { permission: createEnvironment.permission },
  changesGrants: true,
  codes: { ...TEXT_CODES, ...PLAN_CODES, INVALID_DOMAIN: 'Not usable as a domain.', DOMAIN_TAKEN: 'The domain is in use.' },
  input: (t) => ({
    businessId: t.id({ required: true, description: 'The business it belongs to.' }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    domain: t.string({
      required: true,
      description: 'Names its issuer: lower-case letters, digits and dashes, unique in the installation.',
    }),
  }),
  run: (ctx, input) => createEnvironment(ctx, input),
  payload: (t) => ({
    environment: changed(t, 'Environment', 'The new environment.'),
  }),
});

defineMutation({
  name: 'updateEnvironment',
  description: 'Changes an environment. The domain that names its issuer cannot be changed.',
  policy: { permission: updateEnvironment.permission },
  versioned: true,
  codes: { ...TEXT_CODES, NOT_PRODUCTION: 'Only the production environment is live or not.' },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ description: 'At most 200 characters. Absent: unchanged.' }),
    isLive: t.boolean({ description: 'For the production environment only. Absent: unchanged.' }),
  }),
  run: (ctx, input) => updateEnvironment(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});

defineMutation({
  name: 'deleteEnvironment',
  description:
    'Deletes a non-production environment, for ever, with everybody and everything in it. Who is signed in there is so no more, and no token works. Its domain stays reserved for the business.',
  policy: { permission: deleteEnvironment.permission },
  previews: true,
  takesLong: true,
  changesGrants: true,
  codes: { NOT_DELETABLE: 'It is no non-production environment.', WRONG_CONFIRMATION: 'Not the environment’s name.' },
  input: (t) => ({
    environmentId: t.id({ required: true, description: 'The environment.' }),
    confirmation: t.string({ description: 'The environment’s name, typed by whoever deletes it. May be absent with `dryRun`.' }),
  }),
  run: (ctx, input) => deleteEnvironment(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});
