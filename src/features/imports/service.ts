/** Importing users from a file: it is read, then kept, and a job applies it afterwards. */
import { assertCan } from '../../access/authorize.ts';
import type { Import } from '../../db/generated/client/client.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, environmentScope } from '../context.ts';
import { sealChunk } from './chunks.ts';
import { takeIn } from './take-in.ts';

/** Chunks that are written in one statement, which bounds its size. */
const CHUNKS_A_STATEMENT = 20;

export interface ImportUsersInput {
  readonly environmentId?: string | null | undefined;
  /** To recognise the import by; cut to 200 characters. */
  readonly fileName: string;
  /** A CSV file in UTF-8. Its bytes are taken over: it is empty afterwards. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/** Takes in a file of users and queues it. Nobody is told: an import sends no mail. It takes what the like of it by hand
 * would: create:users, and what the file's lines take.
 * @throws InvalidInputError FILE_TOO_LARGE, BAD_ENCODING, EMPTY_FILE, MISSING_HEADER or BAD_CSV about the file as a whole;
 *   what is wrong with single lines becomes their issues */
export const importUsers = action({
  permission: 'create:imports',
  besides: () => ['create:users'],
  scope: (ctx, input: ImportUsersInput, permission) => environmentScope(ctx, input.environmentId, permission),
  prepare: (_ctx, { content }) => takeIn(content),
  async run(ctx, input, { environmentId, businessId }, { lines, permissions, chunks }): Promise<Import> {
    for (const needed of permissions) assertCan(ctx.actor, needed, { environmentId });
    const row = await ctx.db.import.create({
      data: { environmentId, id: newId('import'), fileName: printable(input.fileName), state: 'queued', totalLines: lines },
    });
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
    await audit(ctx, { businessId, environmentId, action: 'import.created', target, details: { lines } });
    await ctx.jobs.enqueue(ctx.db, 'import', { environmentId, importId: row.id }, { key: row.id });
    return row;
  },
});

function printable(fileName: string): string {
  return fileName.replaceAll(/\p{Cc}/gu, '').slice(0, 200);
}
