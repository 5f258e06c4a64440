/**
 * The tenant that the suite `graph` asks about, written by SQL straight into the tables that the server has migrated:
 * users with an email address and two memberships each, organizations of some two hundred members, and one organization
 * that every tenth user is in. Ids sort by birth, as ours do.
 */
import pg from 'pg';

export interface Size {
  readonly users: number;
  readonly organizations: number;
}

/** Rows of it that the works ask for by name. */
export interface GraphData {
  readonly environmentId: string;
  readonly businessId: string;
  /** A user with two memberships. */
  readonly userId: string;
  /** The organization that a tenth of the users is in. */
  readonly largeOrganizationId: string;
}

const ROLES = 10;
const PERMISSIONS_OF_A_ROLE = 3;
const SEEDED = ['users', 'identities', 'organizations', 'memberships', 'membership_roles'];

// Sixteen beginnings, middles and ends make 256 first names and 4,096 last names: some common, some rare.
const SYLLABLES = `
  CREATE TEMP TABLE syllables AS SELECT
    ARRAY['Ka','Lo','Mi','Sa','Te','Ru','Jo','Be','Da','Fe','Ha','Ni','Pa','Vi','Wa','Yo'] AS head,
    ARRAY['ra','lin','mon','do','vik','ser','ta','bel','gan','nor','pel','rus','sto','tem','wen','zal'] AS middle,
    ARRAY['sen','mann','ley','ova','ard','ton','ini','ez','by','ck','dal','feld','gren','holm','ida','kov'] AS tail`;

/** A sortable id: milliseconds, a version and nineteen more hex digits. */
const id = (prefix: string, at: string, seed: string) =>
  `'${prefix}_' || lpad(to_hex((extract(epoch FROM ${at}) * 1000)::bigint), 12, '0') || '7' || substr(md5(${seed}), 1, 19)`;

/** The statements, in order; `$1` to `$4` are the environment, the business, users and organizations. */
const ROWS = [
  SYLLABLES,
  `INSERT INTO roles (business_id, id, key, name, created_at)
   SELECT $2, ${id('role', 'at', `'role' || i`)}, 'bench-' || i, 'Bench ' || i, at
     FROM (SELECT i, timestamptz '2026-01-01' + i * interval '1 second' AS at FROM generate_series(1, ${ROLES}) i) numbers`,
  `INSERT INTO permissions (business_id, id, key, name, created_at)
   SELECT $2, ${id('perm', 'at', `'permission' || i`)}, 'bench:' || i, 'Bench ' || i, at
     FROM (SELECT i, timestamptz '2026-01-01' + i * interval '1 second' AS at FROM generate_series(1, ${ROLES}) i) numbers`,
  `INSERT INTO role_permissions (business_id, role_id, permission_id)
   SELECT $2, r.id, p.id FROM generate_series(1, ${ROLES}) i CROSS JOIN generate_series(1, ${PERMISSIONS_OF_A_ROLE}) k
     JOIN roles r ON r.key = 'bench-' || i JOIN permissions p ON p.key = 'bench:' || 1 + (i + k) % ${ROLES}`,
  `INSERT INTO organizations (environment_id, id, name, external_id, created_at, updated_at)
   SELECT $1, ${id('org', 'at', `'org' || i`)}, head[1 + i % 16] || middle[1 + i / 16 % 16] || ' ' || i, 'crm-' || i, at, at
     FROM syllables, (SELECT i, timestamptz '2026-01-01' + i * interval '1 minute' AS at FROM generate_series(1, $4::int) i) numbers`,
  `INSERT INTO users (environment_id, id, first_name, last_name, provided_id, search_contacts, total_sign_ins, last_signed_in_at, created_at, updated_at)
   SELECT $1, ${id('kp', 'at', `'user' || i`)}, first_name, last_name, 'legacy-' || i,
          lower(' ' || first_name || '.' || last_name || i || '@company' || i % $4::int || '.example'), i % 50, at, at, at
     FROM (SELECT i, timestamptz '2026-01-02' + i * interval '10 seconds' AS at, head[1 + i % 16] || middle[1 + i / 16 % 16] AS first_name,
                  head[1 + i / 7 % 16] || middle[1 + i / 97 % 16] || tail[1 + i / 1009 % 16] AS last_name
             FROM syllables, generate_series(1, $3::int) i) numbered`,
  `CREATE TEMP TABLE numbered_users AS
   SELECT row_number() OVER (ORDER BY created_at) AS i, id, first_name, last_name, created_at AS at FROM users WHERE environment_id = $1`,
  `CREATE TEMP TABLE numbered_organizations AS
   SELECT row_number() OVER (ORDER BY created_at) - 1 AS i, id FROM organizations WHERE environment_id = $1`,
  `INSERT INTO identities (environment_id, id, user_id, type, value, normalized, is_primary, is_verified, created_at)
   SELECT $1, ${id('identity', 'at', `'identity' || i`)}, id, 'email', first_name || '.' || last_name || i || '@company' || i % $4::int || '.example',
          lower(first_name || '.' || last_name || i || '@company' || i % $4::int || '.example'), true, i % 3 > 0, at
     FROM numbered_users ORDER BY i`,
  // The first of a tenth is in the large organization 0; all others are spread, their two never the same.
  `CREATE TEMP TABLE numbered_memberships AS
   SELECT i, second, u.id AS user_id, ${id('om', 'at', `'membership' || i || second`)} AS id, at + second * interval '1 second' AS at,
          CASE WHEN i % 10 = 0 AND second = 0 THEN 0
               ELSE 1 + (i * 7 + second * (1 + i % ($4::int - 2))) % ($4::int - 1) END AS organization
     FROM numbered_users u, generate_series(0, 1) second`,
  `INSERT INTO memberships (environment_id, id, organization_id, user_id, created_at)
   SELECT $1, m.id, o.id, m.user_id, m.at FROM numbered_memberships m JOIN numbered_organizations o ON o.i = m.organization ORDER BY m.id`,
  // Every membership has a role, every second one two.
  `INSERT INTO membership_roles (environment_id, membership_id, business_id, role_id)
   SELECT $1, m.id, $2, r.id
     FROM numbered_memberships m, generate_series(0, 1) another,
          (SELECT row_number() OVER (ORDER BY key) - 1 AS i, id FROM roles WHERE business_id = $2 AND key LIKE 'bench-%') r
    WHERE r.i = (m.i + another * 3) % ${ROLES} AND (another = 0 OR m.i % 2 = 0) ORDER BY m.id`,
];

/** Writes the rows of the environment that has the application. Triggers and foreign keys rest meanwhile, and indexes are made at the end, all at once. */
export async function seedGraph(
  databaseUrl: string,
  clientId: string,
  { users, organizations }: Size,
  progress: (line: string) => void,
): Promise<GraphData> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const start = performance.now();
    const found = await client.query<{ id: string; business_id: string }>(
      'SELECT e.id, e.business_id FROM environments e JOIN applications a ON a.environment_id = e.id WHERE a.id = $1',
      [`app_${clientId}`],
    );
    const { id: environmentId, business_id: businessId } = found.rows[0]!;
    await client.query(`SET session_replication_role = replica; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'; SET jit = off`);
    const indexes = await droppable(client);
    for (const { name } of indexes) await client.query(`DROP INDEX "${name}"`);
    for (const statement of ROWS) await client.query(inline(statement, [environmentId, businessId, users, organizations]));
    for (const { definition } of indexes) await client.query(definition);
    await client.query('RESET session_replication_role');
    await client.query('VACUUM ANALYZE');
    progress(`graph: seeded ${users} users in ${Math.round((performance.now() - start) / 1000)} s`);
    const one = async (text: string) => (await client.query<{ id: string }>(text, [environmentId])).rows[0]!.id;
    return {
      environmentId,
      businessId,
      userId: await one('SELECT id FROM users WHERE environment_id = $1 ORDER BY created_at OFFSET 4321 LIMIT 1'),
      largeOrganizationId: await one('SELECT id FROM organizations WHERE environment_id = $1 ORDER BY created_at LIMIT 1'),
    };
  } finally {
    await client.end();
  }
}

/** The indexes of the seeded tables that no constraint needs. */
async function droppable(client: pg.Client): Promise<{ name: string; definition: string }[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE i.indrelid::regclass::text = ANY($1) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)`,
    [SEEDED],
  );
  return rows;
}

/** The statement with its values in it: PostgreSQL takes no parameters in CREATE TABLE AS. The values are ours: ids and numbers. */
function inline(statement: string, values: readonly (string | number)[]): string {
  return values.reduce<string>(
    (text, value, index) => text.replaceAll(`$${index + 1}`, typeof value === 'number' ? String(value) : `'${value}'`),
    statement,
  );
}
