/** APIs and their scopes in the graph. */
import { queryFromInfo } from '@pothos/plugin-prisma';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, TEXT_CODES } from '../../graphql/payload.ts';
import { issuerOf } from '../../kernel/issuer.ts';
import { createApi, deleteApi, managementAudience, updateApi } from './service.ts';

export { ApiScope } from './scopes/graphql.ts';

export const Api = builder.prismaObject('Api', {
  description: 'Something that access tokens are made out to.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:apis',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The API’s id.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    audience: t.string({
      nullable: true,
      description: 'What `aud` says.',
      select: { audience: true, environment: { select: { domain: true, isPrimary: true } } },
      resolve: ({ audience, environment }, _args, { services }) => audience ?? managementAudience(issuerOf(services.config, environment)),
    }),
    isManagement: t.exposeBoolean('isManagement', { nullable: true, description: 'Whether it is this very graph.' }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was registered.' }),
  }),
});

builder.prismaObjectField('ApiScope', 'api', (t) =>
  t.field({
    type: Api,
    nullable: true,
    permission: 'read:apis',
    description: 'The API that it is a scope of.',
    select: (_args, _ctx, nested) => ({ environmentId: true, apiId: true, api: nested(true) }) as never,
    // Scopes of the management API have no rows that it could be read with.
    resolve: (row, _args, context, info) => {
      const { environmentId, apiId, api } = row as unknown as { environmentId: string; apiId: string; api?: never };
      const where = { environmentId_id: { environmentId, id: apiId } };
      return api ?? (context.services.database.prisma.api.findUnique({ ...queryFromInfo({ context, info }), where }) as never);
    },
  }),
);

registerNode('api', {
  typeName: 'Api',
  permission: 'read:apis',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.api.findFirst(query),
});

const CUSTOM = { MANAGEMENT_API: 'The management API comes with the environment: it is neither changed nor deleted.' };

defineMutation({
  name: 'createApi',
  description: 'Registers an API, so that tokens can be made out to it.',
  policy: { permission: createApi.permission },
  codes: { ...TEXT_CODES, INVALID_AUDIENCE: 'Not usable as an audience.', AUDIENCE_TAKEN: 'Another API has this audience.' },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    audience: t.string({
      required: true,
      description: 'What `aud` says of it, as `https://api.example.com`: at most 200 characters, no spaces. Cannot be changed later.',
    }),
  }),
  run: (ctx, input) => createApi(ctx, input),
  payload: (t) => ({ api: changed(t, 'Api', 'The new API.') }),
});

defineMutation({
  name: 'updateApi',
  description: 'Renames an API.',
  policy: { permission: updateApi.permission },
  versioned: true,
  codes: { ...TEXT_CODES, ...CUSTOM },
  input: (t) => ({
    apiId: t.id({ required: true, description: 'The API.' }),
    name: t.string({ description: 'Absent: unchanged.' }),
  }),
  run: (ctx, input) => updateApi(ctx, input),
  payload: (t) => ({ api: changed(t, 'Api', 'The API.') }),
});

defineMutation({
  name: 'deleteApi',
  description: 'Deletes an API with its scopes and keys. Nobody gets a token for it any more.',
  policy: { permission: deleteApi.permission },
  previews: true,
  codes: CUSTOM,
  input: (t) => ({ apiId: t.id({ required: true, description: 'The API.' }) }),
  run: (ctx, input) => deleteApi(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});
