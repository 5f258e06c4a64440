/**
 * PostGraphile 5 over the very tables of ours: it plans each document into SQL, prepares it, and checks no permission.
 * Ten connections as ours has; its preset for APIs without Relay ids on each row, with lists beside connections.
 */
import { createServer } from 'node:http';
import pg from 'pg';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

const { DATABASE_URL, PORT } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
pool.on('error', () => {}); // The database ends before this process when a run is cut short.
const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: ['public'] })],
  grafserv: { graphqlPath: '/graphql', websockets: false, watch: false },
  grafast: { explain: false },
  schema: { defaultBehavior: '+list +connection' },
});
const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(Number(PORT), '127.0.0.1');
