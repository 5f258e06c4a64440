/** The pages' own files, cached by browsers through their ETag. */
import type { FastifyInstance } from 'fastify';
import { ASSETS } from '../pages/assets.ts';

export function assetRoutes(routes: FastifyInstance): void {
  for (const [name, { type, body, version }] of Object.entries(ASSETS)) {
    const etag = `"${version}"`;
    routes.get<{ Querystring: { v?: unknown } }>(`/assets/${name}`, { config: { limits: 'none' } }, async (request, reply) => {
      // While servers of two versions are at work, one is asked for what only the other has.
      const isOther = request.query.v !== undefined && request.query.v !== version;
      reply.header('etag', etag).header('cache-control', isOther ? 'no-store' : 'public, max-age=300');
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.header('content-type', type).send(body);
    });
  }
}
