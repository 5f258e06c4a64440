/** The management graph as a protected resource (RFC 9728): where its clients find who issues tokens for it. */
import type { FastifyInstance } from 'fastify';
import { MACHINE_SCOPES } from '../access/permissions.ts';
import type { Config } from '../config.ts';
import { managementAudience } from '../features/apis/service.ts';
import { createContext, type Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { accountEnvironment } from '../features/environments/service.ts';
import { issuerOf } from '../kernel/issuer.ts';
import { SIGNATURE_ALGORITHMS } from '../security/public-keys.ts';
import type { Form } from './client-authentication.ts';
import { allowEveryone, preflight } from './cors.ts';

const PATH = '/.well-known/oauth-protected-resource';

function graphUrl({ baseUrl }: Config): string {
  return `${baseUrl}/graphql`;
}

/** Where the graph describes itself (RFC 9728 §3.1). */
export function metadataUrl({ baseUrl }: Config): string {
  return `${baseUrl}${PATH}/graphql`;
}

/** RFC 9728 §2. People sign in at `account`; a machine has its token from the issuer of its own environment. */
async function protectedResource(infrastructure: Infrastructure): Promise<object> {
  const { config } = infrastructure;
  const account = await accountEnvironment(createContext(infrastructure, { kind: 'anonymous' }));
  return {
    resource: graphUrl(config),
    resource_name: 'Gatehouse management API',
    authorization_servers: [issuerOf(config, account)],
    scopes_supported: MACHINE_SCOPES,
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    dpop_bound_access_tokens_required: false,
  };
}

export function protectedResourceRoutes(routes: FastifyInstance, infrastructure: Infrastructure): void {
  for (const path of [`${PATH}/graphql`, PATH]) {
    preflight(routes, path, allowEveryone, 'GET');
    routes.get(path, { config: { errors: 'json' }, onRequest: allowEveryone }, async (_request, reply) =>
      reply.header('cache-control', 'public, max-age=300').send(await protectedResource(infrastructure)),
    );
  }
}

/** A request with the management API's audience where its `resource` is the graph's URL, by which RFC 9728 knows it. */
export function namingAudiences<Request extends Form>(request: Request, { config }: Infrastructure, { issuer }: Tenancy): Request {
  if (request['resource'] === undefined) return request;
  const resource = [request['resource']].flat().map((text) => (text === graphUrl(config) ? managementAudience(issuer) : text));
  return { ...request, resource };
}
