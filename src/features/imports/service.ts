/** Importing users from a file: the upload checks and keeps it, a job applies it afterwards. */
import { assertCan } from '../../access/authorize.ts';
import type { PermissionName } from '../../access/permissions.ts';
import type { Import } from '../../db/generated/client/client.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, environmentScope } from '../context.ts';
import { cutIntoChunks, sealChunk } from './chunks.ts';
import { parseCsv } from './csv.ts';
import { groupByPerson } from './group-lines.ts';
import { type CheckedLine, validateRow } from './validate-row.ts';

/** Chunks that are written in one statement, which bounds its size. */
const CHUNKS_A_STATEMENT = 20;

export interface ImportUsersInput {
  readonly environmentId?: string | null | undefined;
  /** To recognise the import by; cut to 200 characters. */
  readonly fileName: string;
  /** A CSV file in UTF-8. */
  readonly content: Uint8Array;
}

/** Takes in a file of users and queues it. Nobody is told: an import sends no mail. It takes what the like of it by hand
 * would: create:users, and what {@link permissionsOfLines} says of the file.
 * @throws InvalidInputError FILE_TOO_LARGE, BAD_ENCODING, EMPTY_FILE, MISSING_HEADER or BAD_CSV about the file as a whole;
 *   what is wrong with single lines becomes their issues */
export const importUsers = action({
  permission: 'create:imports',
  besides: () => ['create:users'],
  scope: (ctx, input: ImportUsersInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, { environmentId, businessId }): Promise<Import> {
    const lines = parseCsv(input.content).map(validateRow);
    for (const needed of permissionsOfLines(lines)) assertCan(ctx.actor, needed, { environmentId });
    const row = await ctx.db.import.create({
      data: { environmentId, id: newId('import'), fileName: printable(input.fileName), state: 'queued', totalLines: lines.length },
    });
    const chunks = cutIntoChunks(groupByPerson(lines));
    for (let start = 0; start < chunks.length; start += CHUNKS_A_STATEMENT) {
      await ctx.db.importChunk.createMany({
        data: chunks.slice(start, start + CHUNKS_A_STATEMENT).map((chunk, at) => ({
          environmentId,
          importId: row.id,
          index: start + at,
          rows: sealChunk(ctx.vault, chunk),
        })),
      });
    }
    const target = { type: 'import', id: row.id };
    await audit(ctx, { businessId, environmentId, action: 'import.created', target, details: { lines: lines.length } });
    await ctx.jobs.enqueue(ctx.db, 'import', { environmentId, importId: row.id }, { key: row.id });
    return row;
  },
});

/** What applying the lines takes besides: the job that does so asks nobody. */
function permissionsOfLines(lines: readonly CheckedLine[]): PermissionName[] {
  const some = (has: (row: NonNullable<CheckedLine['row']>) => boolean) => lines.some(({ row }) => row && has(row));
  return [
    ...(some((row) => row.isEmailVerified || row.isPhoneVerified) ? (['update:user_contacts'] as const) : []),
    ...(some((row) => row.password !== undefined) ? (['update:user_passwords'] as const) : []),
    ...(some((row) => row.organizations.length > 0) ? (['create:organization_users'] as const) : []),
    ...(some((row) => row.roles.length > 0) ? (['create:organization_user_roles'] as const) : []),
    ...(some((row) => row.permissions.length > 0) ? (['create:organization_user_permissions'] as const) : []),
  ];
}

function printable(fileName: string): string {
  return fileName.replaceAll(/\p{Cc}/gu, '').slice(0, 200);
}
