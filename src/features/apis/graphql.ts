/** APIs and their scopes in the graph. */
import { MACHINE_SCOPES } from '../../access/permissions.ts';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { issuerOf } from '../../kernel/issuer.ts';
import { managementAudience } from './service.ts';

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
    scopes: t.stringList({
      nullable: true,
      permission: 'read:api_scopes',
      description: 'The names of its scopes, sorted.',
      select: { isManagement: true, scopes: { select: { name: true }, orderBy: { name: 'asc' } } },
      resolve: ({ isManagement, scopes }) => (isManagement ? [...MACHINE_SCOPES] : scopes.map(({ name }) => name)),
    }),
  }),
});

registerNode('api', {
  typeName: 'Api',
  permission: 'read:apis',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.api.findFirst(query),
});
