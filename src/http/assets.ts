/** The pages' stylesheet, icon and script, read once at start and cached by browsers through their ETag. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

const DIRECTORY = join(import.meta.dirname, '../pages/assets');
const ASSETS = [
  { name: 'gatehouse.css', type: 'text/css; charset=utf-8' },
  { name: 'icon.svg', type: 'image/svg+xml' },
  { name: 'answer.js', type: 'text/javascript; charset=utf-8' },
  { name: 'passkey.js', type: 'text/javascript; charset=utf-8' },
];

export function assetRoutes(routes: FastifyInstance): void {
  for (const { name, type } of ASSETS) {
    const body = readFileSync(join(DIRECTORY, name));
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    routes.get(`/assets/${name}`, { config: { limits: 'none' } }, async (request, reply) => {
      reply.header('etag', etag).header('cache-control', 'public, max-age=300');
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.header('content-type', type).send(body);
    });
  }
}
