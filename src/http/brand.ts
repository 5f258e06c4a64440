/** What brands are made of, to everybody who knows its address: pictures, and the stylesheet of an environment's pages. */
import type { FastifyInstance } from 'fastify';
import { brandOf } from '../features/brands/service.ts';
import type { Infrastructure } from '../features/context.ts';
import { findLogo } from '../features/logos/service.ts';

export function brandRoutes(routes: FastifyInstance, infrastructure: Infrastructure): void {
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

  routes.get<{ Querystring: { v?: unknown; organization?: unknown } }>(
    '/brand.css',
    { config: { limits: 'none' } },
    async (request, reply) => {
      const { v, organization } = request.query;
      const organizationId = typeof organization === 'string' ? organization.slice(0, 100) : null;
      const { stylesheet } = await brandOf(infrastructure, request.tenancy.environmentId, organizationId);
      if (!stylesheet) return reply.callNotFound();
      // A page of a moment ago names the one before it: it gets this one, and nobody keeps it under that name.
      const isNamed = v === stylesheet.hash;
      return reply
        .header('cache-control', isNamed ? 'public, max-age=31536000, immutable' : 'no-store')
        .type('text/css; charset=utf-8')
        .send(stylesheet.css);
    },
  );
}
