/**
 * Inserts many rows at once, as JSON in one parameter. Prisma's createMany binds each value by itself, which takes the
 * embedded database three times as long and PostgreSQL allows for 32,767 values.
 */
import type { Db } from '../../db/client.ts';

/** The tables an import fills. */
export type Table = 'users' | 'identities' | 'passwords' | 'memberships' | 'membership_roles' | 'membership_permissions' | 'import_issues';

/** Inserts `rows`, which have the fields of Prisma's model and all the same ones. Columns without a field get their default. */
export async function insertRows(db: Db, table: Table, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return;
  const columns = Object.keys(rows[0]!).map((field) => `"${columnOf(field)}"`);
  const records = rows.map((row) => Object.fromEntries(Object.entries(row).map(([field, value]) => [columnOf(field), value])));
  await db.$executeRawUnsafe(
    `INSERT INTO "${table}" (${columns}) SELECT ${columns} FROM json_populate_recordset(NULL::"${table}", $1::json)`,
    JSON.stringify(records),
  );
}

/** `environmentId` is `environment_id`, as the schema maps every field. */
function columnOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
