/** CORS: public documents for everyone; the token endpoint and its kin for the origins of the environment's own applications. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { originRegisteredFor } from '../features/applications/organization-urls.ts';
import { registeredUrls } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';

const ALLOWED_HEADERS = 'Content-Type, Authorization, DPoP, Kinde-SDK';
const EXPOSED_HEADERS = 'DPoP-Nonce, WWW-Authenticate';

/** Lets any page read a public document. */
export async function allowEveryone(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.header('access-control-allow-origin', '*');
}

/** Lets pages of registered applications call, with cookies; `*` would not do for those. Where applications register themselves, any page may without. */
export function allowApplications(infrastructure: Infrastructure) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.header('vary', 'Origin');
    const { origin } = request.headers;
    if (!origin) return;
    reply.header('access-control-expose-headers', EXPOSED_HEADERS);
    if (request.tenancy.allowsDynamicRegistration || request.tenancy.allowsMetadataDocuments)
      reply.header('access-control-allow-origin', '*');
    if (origin === 'null') return;
    const { environmentId } = request.tenancy;
    const { callbackUrls, logoutUrls } = await registeredUrls(infrastructure, environmentId);
    if ((await originRegisteredFor(infrastructure, environmentId, [...callbackUrls, ...logoutUrls], origin)) === undefined) return;
    reply.header('access-control-allow-origin', origin).header('access-control-allow-credentials', 'true');
  };
}

/** Answers a preflight of `path`; `allow` has set who may call. */
export function preflight(
  routes: FastifyInstance,
  path: string,
  allow: (request: FastifyRequest, reply: FastifyReply) => Promise<void>,
  methods: string,
): void {
  routes.options(path, { onRequest: allow }, async (_request, reply) =>
    reply
      .code(204)
      .header('access-control-allow-methods', methods)
      .header('access-control-allow-headers', ALLOWED_HEADERS)
      .header('access-control-max-age', '600')
      .send(),
  );
}
