/** What an uploaded file comes to before anything of it is in the database: its lines, checked, grouped by person and compressed. */
import type { PermissionName } from '../../access/permissions.ts';
import { cutIntoChunks } from './chunks.ts';
import { readCsv } from './csv.ts';
import { groupByPerson } from './group-lines.ts';
import { type ImportRow, validateRow } from './validate-row.ts';

/** A file that was read. */
export interface ImportFile {
  /** Lines without the header and the empty ones. */
  readonly lines: number;
  /** What applying the lines takes besides: the job that does so asks nobody. */
  readonly permissions: readonly PermissionName[];
  /** As {@link sealChunk} takes them. */
  readonly chunks: Iterable<Uint8Array>;
}

/** Reads a file, on the thread that it is called on: for a million lines that takes seconds. The chunks are made one by one, when they are asked for.
 * @throws InvalidInputError as {@link readCsv} does */
export function readFile(content: Uint8Array): ImportFile {
  const permissions = new Set<PermissionName>();
  const { groups, add } = groupByPerson();
  let lines = 0;
  readCsv(content, (csv) => {
    const checked = validateRow(csv);
    if (checked.row) for (const permission of permissionsOf(checked.row)) permissions.add(permission);
    add(checked);
    lines++;
  });
  return { lines, permissions: [...permissions], chunks: cutIntoChunks(groups) };
}

function* permissionsOf(row: ImportRow): Generator<PermissionName> {
  if (row.isEmailVerified || row.isPhoneVerified) yield 'update:user_contacts';
  if (row.password) yield 'update:user_passwords';
  if (row.organizations.length > 0) yield 'create:organization_users';
  if (row.roles.length > 0) yield 'create:organization_user_roles';
  if (row.permissions.length > 0) yield 'create:organization_user_permissions';
}
