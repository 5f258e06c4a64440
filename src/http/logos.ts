/** The pictures of environments and organizations, to everybody who knows their addresses. */
import type { FastifyInstance } from 'fastify';
import type { Infrastructure } from '../features/context.ts';
import { findLogo } from '../features/logos/service.ts';

export function logoRoutes(routes: FastifyInstance, infrastructure: Infrastructure): void {
  routes.get('/logos/:id', { config: { limits: 'none' } }, async (request, reply) => {
    const { id } = request.params as { id: string };
    const logo = await findLogo(infrastructure, request.tenancy.environmentId, id);
    if (!logo) return reply.callNotFound();
    const etag = `"${logo.id}"`; // An address has one picture for ever.
    reply
      .header('etag', etag)
      .header('cache-control', 'public, max-age=31536000, immutable')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox")
      .header('x-content-type-options', 'nosniff')
      .header('cross-origin-resource-policy', 'cross-origin'); // Dashboards and mail show it too.
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type(logo.contentType).send(Buffer.from(logo.bytes));
  });
}
