/** Scopes of APIs in the graph. */
import { builder } from '../../../graphql/builder.ts';
import { Node, registerNode } from '../../../graphql/node.ts';
import { changed, defineMutation, deletedId, PLAN_CODES, TEXT_CODES } from '../../../graphql/payload.ts';
import { findManagementScope, managementScopes } from '../service.ts';
import { createApiScope, deleteApiScope, MAX_SCOPES, updateApiScope } from './service.ts';

export const ApiScope = builder.prismaObject('ApiScope', {
  description: 'Something that a token may be good for at an API.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:api_scopes',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The scope’s id.' }),
    name: t.exposeString('name', { nullable: true, description: 'What tokens carry.' }),
    description: t.exposeString('description', { nullable: true, description: 'What it is for.' }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was added.' }),
  }),
});

builder.prismaObjectField('Api', 'scopes', (t) =>
  t.field({
    type: [ApiScope],
    nullable: true,
    permission: 'read:api_scopes',
    description: `Its scopes by name, at most ${MAX_SCOPES}. Those of the management API are the permissions that a machine may hold; they cannot be changed.`,
    select: (_args, _ctx, nested) =>
      ({ isManagement: true, createdAt: true, scopes: { ...(nested(true) as object), orderBy: { name: 'asc' } } }) as never,
    resolve: (row) => {
      const api = row as unknown as Parameters<typeof managementScopes>[0] & { isManagement: boolean; scopes: never[] };
      return api.isManagement ? managementScopes(api) : api.scopes;
    },
  }),
);

registerNode('apiScope', {
  typeName: 'ApiScope',
  permission: 'read:api_scopes',
  tenant: 'environmentId',
  find: async (prisma, query) => (await prisma.apiScope.findFirst(query)) ?? findManagementScope(prisma, query.where),
});

defineMutation({
  name: 'createApiScope',
  description: 'Adds a scope to an API.',
  policy: { permission: createApiScope.permission },
  codes: {
    TOO_LONG: TEXT_CODES.TOO_LONG,
    INVALID_TEXT: TEXT_CODES.INVALID_TEXT,
    ...PLAN_CODES,
    MANAGEMENT_API: 'The scopes of the management API are what they are.',
    INVALID_SCOPE: 'Not usable as the name of a scope.',
    RESERVED_SCOPE: 'OpenID Connect uses this name for something else.',
    SCOPE_TAKEN: 'The API has this scope already.',
    TOO_MANY_SCOPES: `The API has ${MAX_SCOPES} scopes already.`,
  },
  input: (t) => ({
    apiId: t.id({ required: true, description: 'The API.' }),
    name: t.string({
      required: true,
      description: 'A verb, a colon and a thing, as `read:invoices`: at most 64 characters. Cannot be changed later.',
    }),
    description: t.string({ description: 'What it is for: at most 1000 characters.' }),
  }),
  run: (ctx, input) => createApiScope(ctx, input),
  payload: (t) => ({ scope: changed(t, 'ApiScope', 'The new scope.') }),
});

defineMutation({
  name: 'updateApiScope',
  description: 'Describes a scope anew.',
  policy: { permission: updateApiScope.permission },
  versioned: true,
  codes: { TOO_LONG: TEXT_CODES.TOO_LONG, INVALID_TEXT: TEXT_CODES.INVALID_TEXT },
  input: (t) => ({
    scopeId: t.id({ required: true, description: 'The scope.' }),
    description: t.string({ description: 'At most 1000 characters. Absent: unchanged; null: none.' }),
  }),
  run: (ctx, input) => updateApiScope(ctx, input),
  payload: (t) => ({ scope: changed(t, 'ApiScope', 'The scope.') }),
});

defineMutation({
  name: 'deleteApiScope',
  description: 'Deletes a scope, and takes it from every application, API key, role and member that holds it.',
  policy: { permission: deleteApiScope.permission },
  previews: true,
  codes: {},
  input: (t) => ({ scopeId: t.id({ required: true, description: 'The scope.' }) }),
  run: (ctx, input) => deleteApiScope(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});
