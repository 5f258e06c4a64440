import { createApiScope, MAX_SCOPES } from '../../../src/features/apis/scopes/service.ts';
import { authorizeApplication, createApi, createApiRow } from '../../../src/features/apis/service.ts';
import { createApplication } from '../../../src/features/applications/service.ts';
import { registerClient } from '../../../src/features/dynamic-clients/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { BELL, type FeatureCases, type Stage, textMistakes } from './cases.ts';

const api = ({ world }: Stage) => ({ environmentId: world.ids.Environment, name: 'New', audience: 'https://new.test' });
const known = ({ world }: Stage) => ({ apiId: world.ids['Api'] });
const scope = ({ world }: Stage) => ({ scopeId: world.ids['ApiScope'] });
const tooLong = 'x'.repeat(1001);

const management = async ({ ctx, world }: Stage) => ({
  apiId: (await ctx.db.api.findFirstOrThrow({ where: { environmentId: world.ids.Environment, isManagement: true } })).id,
});

/** An API with a scope, and an application that is authorised for it without one. */
async function authorized({ ctx, world }: Stage, name: string) {
  const environmentId = world.ids.Environment;
  const { id: apiId } = await createApi(ctx, { environmentId, name, audience: `https://${name}.test` });
  await createApiScope(ctx, { apiId, name: 'read:things' });
  const { application } = await createApplication(ctx, { environmentId, name, type: 'm2m' });
  await authorizeApplication(ctx, environmentId, application.id, apiId, []);
  return { apiId, applicationId: application.id };
}

export const apis: FeatureCases = {
  kinds: { Api: 'api', ApiScope: 'apiScope' },
  fillEnvironment: async ({ ctx, environmentId, name, ids }) => {
    const made = await createApiRow(ctx, environmentId, {
      name: 'API',
      audience: `https://${name}.test`,
      scopes: [{ name: 'read:things', description: 'Read things.' }],
    });
    await authorizeApplication(ctx, environmentId, ids['Application']!, made.id);
    const { id } = await ctx.db.apiScope.findFirstOrThrow({ where: { environmentId, apiId: made.id } });
    return { Api: made.id, ApiScope: id };
  },
  addRow: async ({ ctx, environmentId, ids }, row) => {
    const made = await createApiRow(ctx, environmentId, { name: 'API', audience: `https://${row}.test`, scopes: [{ name: 'read:it' }] });
    await authorizeApplication(ctx, environmentId, ids['Application']!, made.id);
    const { application } = await createApplication(ctx, { environmentId, name: 'App', type: 'm2m' });
    await authorizeApplication(ctx, environmentId, application.id, ids['Api']!);
  },
  lists: {
    'APIs with their scopes': `environment(id: $environmentId) { apis(first: $first) { totalCount nodes { name audience scopes { id name description } } } }`,
    'applications of APIs': `environment(id: $environmentId) { apis(first: $first) { nodes { applications(first: $first) { totalCount nodes { scopes application { name } } } } } }`,
    'APIs of applications': `environment(id: $environmentId) { applications(first: $first) { nodes { apis(first: $first) { totalCount nodes { scopes api { name } } } } } }`,
  },
  shortLists: ['Api.scopes', 'ApiAuthorization.scopes'],
  mutations: {
    createApi: {
      permission: 'create:apis',
      action: 'api.created',
      input: ({ world }, name) => ({ environmentId: world.ids.Environment, name, audience: `https://${name}.new.test` }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, name: 'Mine', audience: 'https://mine.test' }) }],
      mistakes: [
        ...textMistakes('name', api),
        ...textMistakes('audience', api),
        { code: 'INVALID_AUDIENCE', path: ['audience'], input: (stage) => ({ ...api(stage), audience: 'https://a.test https://b.test' }) },
        { code: 'AUDIENCE_TAKEN', path: ['audience'], input: (stage) => ({ ...api(stage), audience: `https://${stage.world.name}.test` }) },
        ...['/api', '/api/v1'].map((path) => ({
          code: 'AUDIENCE_TAKEN',
          path: ['audience'],
          input: (stage: Stage) => ({ ...api(stage), audience: stage.world.production.machine.issuer + path }),
        })),
      ],
    },
    updateApi: {
      permission: 'update:apis',
      action: 'api.updated',
      input: (stage, name) => ({ ...known(stage), name }),
      foreign: [{ type: 'Api', input: (apiId) => ({ apiId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', known),
        { code: 'MANAGEMENT_API', path: ['apiId'], input: async (stage) => ({ ...(await management(stage)), name: 'Mine' }) },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...known(stage), expectedVersion: 99_999 }) },
      ],
    },
    deleteApi: {
      permission: 'delete:apis',
      action: 'api.deleted',
      input: async (stage, name) => ({ apiId: (await authorized(stage, name)).apiId }),
      foreign: [{ type: 'Api', input: (apiId) => ({ apiId }) }],
      mistakes: [{ code: 'MANAGEMENT_API', path: ['apiId'], input: management }],
    },
    createApiScope: {
      permission: 'create:api_scopes',
      action: 'api_scope.created',
      input: (stage, name) => ({ ...known(stage), name: `read:${name}` }),
      foreign: [{ type: 'Api', input: (apiId) => ({ apiId, name: 'read:mine' }) }],
      mistakes: [
        { code: 'MANAGEMENT_API', path: ['apiId'], input: async (stage) => ({ ...(await management(stage)), name: 'read:mine' }) },
        { code: 'PLAN_LIMIT', path: ['apiId'], input: ({ small }) => ({ apiId: small.ids['Api'], name: 'read:mine' }) },
        { code: 'RESERVED_SCOPE', path: ['name'], input: (stage) => ({ ...known(stage), name: 'openid' }) },
        ...['read', 'read things', 'Read:things', `read:${'x'.repeat(60)}`, 'read:', ':things', 'read:a b'].map((name) => ({
          code: 'INVALID_SCOPE',
          path: ['name'],
          input: (stage: Stage) => ({ ...known(stage), name }),
        })),
        { code: 'SCOPE_TAKEN', path: ['name'], input: (stage) => ({ ...known(stage), name: 'read:things' }) },
        { code: 'TOO_LONG', path: ['description'], input: (stage) => ({ ...known(stage), name: 'read:it', description: tooLong }) },
        { code: 'INVALID_TEXT', path: ['description'], input: (stage) => ({ ...known(stage), name: 'read:it', description: BELL }) },
        {
          code: 'TOO_MANY_SCOPES',
          path: ['apiId'],
          input: async (stage) => {
            const { ctx, world } = stage;
            const environmentId = world.ids.Environment;
            const { id: apiId } = await createApi(ctx, { environmentId, name: 'Full', audience: 'https://full.test' });
            await ctx.db.apiScope.createMany({
              data: Array.from({ length: MAX_SCOPES }, (_, at) => ({ environmentId, id: newId('apiScope'), apiId, name: `read:${at}` })),
            });
            return { apiId, name: 'read:more' };
          },
        },
      ],
    },
    updateApiScope: {
      permission: 'update:api_scopes',
      action: 'api_scope.updated',
      input: (stage, description) => ({ ...scope(stage), description }),
      foreign: [{ type: 'ApiScope', input: (scopeId) => ({ scopeId, description: 'Mine' }) }],
      mistakes: [
        { code: 'TOO_LONG', path: ['description'], input: (stage) => ({ ...scope(stage), description: tooLong }) },
        { code: 'INVALID_TEXT', path: ['description'], input: (stage) => ({ ...scope(stage), description: BELL }) },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...scope(stage), expectedVersion: 99_999 }) },
      ],
    },
    deleteApiScope: {
      permission: 'delete:apis_scopes',
      action: 'api_scope.deleted',
      input: async (stage, name) => ({ scopeId: (await createApiScope(stage.ctx, { ...known(stage), name: `read:${name}` } as never)).id }),
      foreign: [{ type: 'ApiScope', input: (scopeId) => ({ scopeId }) }],
    },
    updateApiApplications: {
      permission: 'update:apis',
      action: 'api.applications_updated',
      input: async (stage, name) => {
        const { apiId, applicationId } = await authorized(stage, name);
        return { apiId, authorize: [{ applicationId, scopes: ['read:things'] }] };
      },
      foreign: [
        { type: 'Api', input: (apiId, own) => ({ apiId, authorize: [{ applicationId: own.ids.Application }] }) },
        { type: 'Application', input: (applicationId, own) => ({ apiId: own.ids['Api'], authorize: [{ applicationId }] }) },
        { type: 'Application', input: (applicationId, own) => ({ apiId: own.ids['Api'], revoke: [applicationId] }) },
      ],
      mistakes: [
        {
          code: 'UNKNOWN_SCOPE',
          path: ['authorize', '0', 'scopes', '1'],
          input: (stage) => ({
            ...known(stage),
            authorize: [{ applicationId: stage.world.ids.Application, scopes: ['read:things', 'read:users'] }],
          }),
        },
        {
          code: 'TOO_MANY',
          path: ['authorize'],
          input: (stage) => ({ ...known(stage), authorize: Array(101).fill({ applicationId: stage.world.ids.Application }) }),
        },
        {
          code: 'TOO_MANY',
          path: ['revoke'],
          input: (stage) => ({ ...known(stage), revoke: Array.from({ length: 101 }, () => newId('application')) }),
        },
        {
          code: 'ORGANIZATION_MACHINE',
          path: ['authorize', '0', 'applicationId'],
          input: async (stage) => {
            const { Environment: environmentId, Organization: organizationId } = stage.world.ids;
            const { application } = await createApplication(stage.ctx, { environmentId, name: 'Bound', type: 'm2m', organizationId });
            return { ...(await management(stage)), authorize: [{ applicationId: application.id }] };
          },
        },
        {
          code: 'DYNAMIC_APPLICATION',
          path: ['authorize', '0', 'applicationId'],
          input: async (stage) => {
            const place = { environmentId: stage.world.ids.Environment, businessId: stage.world.businessId };
            const client = await registerClient(stage.ctx, place, { name: 'Agent', redirectUris: ['https://agent.test'] });
            return { ...(await management(stage)), authorize: [{ applicationId: client.id }] };
          },
        },
      ],
    },
    addApplicationScope: {
      permission: 'create:api_application_scopes',
      action: 'application.scope_added',
      input: async (stage, name) => ({ ...(await authorized(stage, name)), scope: 'read:things' }),
      foreign: [
        { type: 'Api', input: (apiId, own) => ({ apiId, applicationId: own.ids.Application, scope: 'read:things' }) },
        { type: 'Application', input: (applicationId, own) => ({ apiId: own.ids['Api'], applicationId, scope: 'read:things' }) },
      ],
      mistakes: [
        {
          code: 'UNKNOWN_SCOPE',
          path: ['scope'],
          input: (stage) => ({ ...known(stage), applicationId: stage.world.ids.Application, scope: 'read:users' }),
        },
        {
          code: 'NOT_AUTHORIZED',
          path: ['applicationId'],
          input: (stage) => ({ ...known(stage), applicationId: stage.world.ids['publicApplication'], scope: 'read:things' }),
        },
      ],
    },
    removeApplicationScope: {
      permission: 'delete:apis_application_scopes',
      action: 'application.scope_removed',
      input: async (stage, name) => ({ ...(await authorized(stage, name)), scope: 'read:things' }),
      foreign: [
        { type: 'Api', input: (apiId, own) => ({ apiId, applicationId: own.ids.Application, scope: 'read:things' }) },
        { type: 'Application', input: (applicationId, own) => ({ apiId: own.ids['Api'], applicationId, scope: 'read:things' }) },
      ],
      mistakes: [
        {
          code: 'NOT_AUTHORIZED',
          path: ['applicationId'],
          input: (stage) => ({ ...known(stage), applicationId: stage.world.ids['publicApplication'], scope: 'read:things' }),
        },
      ],
    },
  },
};
