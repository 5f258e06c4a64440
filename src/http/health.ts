/** `/healthz`: the process answers. `/readyz`: it can serve, as the database is reachable and up to date. */
import type { FastifyInstance } from 'fastify';
import { pendingMigrations } from '../db/migrate.ts';
import type { Infrastructure } from '../features/context.ts';

export function healthRoutes(server: FastifyInstance, { database, log }: Infrastructure): void {
  server.get('/healthz', { config: { errors: 'json' } }, async () => ({ status: 'ok' }));
  server.get('/readyz', { config: { errors: 'json' } }, async (_request, reply) => {
    try {
      const pending = await pendingMigrations(database);
      if (pending.length === 0) return { status: 'ready' };
      return await reply.code(503).send({ status: 'not ready', reason: `migrations are pending: ${pending.join(', ')}` });
    } catch (error) {
      log.warn({ err: error }, 'not ready');
      return reply.code(503).send({ status: 'not ready', reason: 'the database cannot be reached' });
    }
  });
}
