/**
 * No GraphQL at all: each path is one statement by hand, prepared, that makes the whole answer as JSON in PostgreSQL,
 * over the very tables of ours and with ten connections. What is left is HTTP: the bound that no graph can reach.
 */
import { createServer } from 'node:http';
import pg from 'pg';

const { DATABASE_URL, PORT, ENVIRONMENT_ID } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
pool.on('error', () => {}); // The database ends before this process when a run is cut short.

const ROLE_PERMISSIONS = `(SELECT coalesce(json_agg(json_build_object('key', p.key) ORDER BY p.key), '[]')
  FROM role_permissions rp JOIN permissions p ON p.business_id = rp.business_id AND p.id = rp.permission_id
 WHERE rp.business_id = r.business_id AND rp.role_id = r.id)`;
const roles = (fields: string) => `(SELECT coalesce(json_agg(json_build_object(${fields}) ORDER BY r.key), '[]')
  FROM membership_roles mr JOIN roles r ON r.business_id = mr.business_id AND r.id = mr.role_id
 WHERE mr.environment_id = m.environment_id AND mr.membership_id = m.id)`;
const EMAIL = `(SELECT i.value FROM identities i
 WHERE i.environment_id = u.environment_id AND i.user_id = u.id AND i.type = 'email' AND i.is_primary LIMIT 1)`;
const memberships = (fields: string) => `(SELECT coalesce(json_agg(json_build_object(${fields}) ORDER BY m.created_at, m.id), '[]')
  FROM memberships m JOIN organizations o ON o.environment_id = m.environment_id AND o.id = m.organization_id
 WHERE m.environment_id = u.environment_id AND m.user_id = u.id)`;
const IDENTITIES = `(SELECT coalesce(json_agg(json_build_object('value', i.value, 'isPrimary', i.is_primary, 'isVerified', i.is_verified) ORDER BY i.created_at, i.id), '[]')
  FROM identities i WHERE i.environment_id = u.environment_id AND i.user_id = u.id)`;

/** Each takes the environment as `$1`, then what the path's own values are. */
const STATEMENTS: Record<string, string> = {
  users: `SELECT json_agg(json_build_object('id', u.id, 'email', ${EMAIL}, 'createdAt', u.created_at, 'memberships',
      ${memberships(`'organization', json_build_object('id', o.id, 'name', o.name), 'roles', ${roles(`'key', r.key`)}`)}))::text AS answer
    FROM (SELECT * FROM users WHERE environment_id = $1 ORDER BY created_at, id LIMIT $2::int) u`,
  user: `SELECT json_build_object('id', u.id, 'firstName', u.first_name, 'lastName', u.last_name, 'providedId', u.provided_id,
      'createdAt', u.created_at, 'identities', ${IDENTITIES}, 'memberships', ${memberships(
        `'createdAt', m.created_at, 'organization', json_build_object('id', o.id, 'name', o.name, 'externalId', o.external_id),
         'roles', ${roles(`'key', r.key, 'name', r.name, 'permissions', ${ROLE_PERMISSIONS}`)}`,
      )})::text AS answer
    FROM users u WHERE u.environment_id = $1 AND u.id = $2`,
};

createServer(async (request, response) => {
  request.resume();
  const [, name = '', ...values] = decodeURIComponent(request.url!).split('/');
  const text = STATEMENTS[name];
  if (!text) return response.writeHead(404).end();
  const { rows } = await pool.query<{ answer: string }>({ name, text, values: [ENVIRONMENT_ID, ...values] });
  response.setHeader('content-type', 'application/json');
  response.end(`{"data":${rows[0]!.answer}}`);
}).listen(Number(PORT), '127.0.0.1');
