/**
 * Applies an import, chunk by chunk, each in one transaction with its counts and its mark of being done. So it may be
 * stopped at any moment, by a kill too, and run again: what is committed is not repeated, what is not has left no trace.
 */
import type { Prisma } from '../../db/client.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { type Context, createContext, type Infrastructure, inTransaction } from '../context.ts';
import { openChunk } from './chunks.ts';
import { insertRows } from './insert-rows.ts';
import { loadKnown } from './known.ts';
import { type Plan, planChunk } from './plan.ts';

/** Which import. */
export interface ImportKey {
  readonly environmentId: string;
  readonly importId: string;
}

/**
 * Applies what is left of an import and completes it. Returns early where another process is at work on it.
 * @throws Error where a chunk cannot be applied; the chunks before it are
 */
export async function runImport(infrastructure: Infrastructure, key: ImportKey): Promise<void> {
  const ctx = importContext(infrastructure);
  while (await inTransaction(ctx, (tx) => applyNextChunk(tx, key))) {}
}

/** Gives an import up, with a sentence for whoever uploaded the file. One that is finished stays as it is. */
export async function failImport(infrastructure: Infrastructure, key: ImportKey, failure: string): Promise<void> {
  await inTransaction(importContext(infrastructure), (tx) => finish(tx, key, { state: 'failed', failure }));
}

function importContext(infrastructure: Infrastructure): Context {
  return createContext(infrastructure, { kind: 'system', name: 'import' });
}

/** Returns whether there may be more to do. */
async function applyNextChunk(ctx: Context, key: ImportKey): Promise<boolean> {
  const { environmentId, importId } = key;
  // Locked before anything in it, as by whoever deletes it: else each could wait for what the other has.
  const [environment] = await ctx.db.$queryRaw<{ businessId: string }[]>`
    SELECT business_id AS "businessId" FROM environments WHERE id = ${environmentId} FOR KEY SHARE`;
  const running = await findUnfinished(ctx, key);
  if (!environment || !running) return false;
  const chunk = await claimChunk(ctx, key);
  if (!chunk) {
    const left = await ctx.db.importChunk.count({ where: { ...key, doneAt: null } });
    if (left === 0) await finish(ctx, key, { state: 'completed' });
    return false;
  }
  // A connection keeps the plans by which foreign keys are checked. Those of its first rows read, for each row, all that came before it.
  await ctx.db.$executeRaw`DISCARD PLANS`;
  const lines = openChunk(ctx.vault, chunk.rows);
  const scope = { environmentId, businessId: environment.businessId };
  const known = await loadKnown(
    ctx,
    scope,
    lines.flatMap(({ row }) => row ?? []),
  );
  const plan = planChunk(scope, known, lines);
  await insert(ctx, key, plan);
  await ctx.db.importChunk.update({
    where: { environmentId_importId_index: { environmentId, importId, index: chunk.index } },
    data: { rows: '', doneAt: ctx.clock.now() },
  });
  await ctx.db.import.update({
    where: { environmentId_id: { environmentId, id: importId } },
    data: { state: 'running', startedAt: running.startedAt ?? ctx.clock.now(), ...increments(plan, lines.length) },
  });
  return true;
}

function findUnfinished(ctx: Context, { environmentId, importId }: ImportKey) {
  return ctx.db.import.findUnique({
    where: { environmentId_id: { environmentId, id: importId }, finishedAt: null },
    select: { startedAt: true },
  });
}

/** The first chunk that is not done, locked until the transaction ends; undefined when there is none or another process has it. */
async function claimChunk(ctx: Context, { environmentId, importId }: ImportKey): Promise<{ index: number; rows: string } | undefined> {
  const [chunk] = await ctx.db.$queryRaw<{ index: number; rows: string }[]>`
    SELECT "index", "rows" FROM import_chunks
    WHERE environment_id = ${environmentId} AND import_id = ${importId} AND done_at IS NULL AND "index" = (
      SELECT min("index") FROM import_chunks WHERE environment_id = ${environmentId} AND import_id = ${importId} AND done_at IS NULL
    )
    FOR UPDATE SKIP LOCKED`;
  return chunk;
}

async function insert({ db }: Context, { environmentId, importId }: ImportKey, plan: Plan): Promise<void> {
  await insertRows(db, 'users', plan.users);
  await insertRows(db, 'identities', plan.identities);
  await insertRows(db, 'passwords', plan.passwords);
  await insertRows(db, 'memberships', plan.memberships);
  await insertRows(db, 'membership_roles', plan.membershipRoles);
  await insertRows(db, 'membership_permissions', plan.membershipPermissions);
  const issues: Prisma.ImportIssueCreateManyInput[] = plan.issues.map(({ line, severity, code, column = null, message }) => {
    return { environmentId, id: newId('importIssue'), importId, line, severity, code, column, message };
  });
  await insertRows(db, 'import_issues', issues);
}

function increments({ outcomes, issues }: Plan, lines: number): Prisma.ImportUpdateInput {
  const users = (wanted: string) => [...outcomes.values()].filter((outcome) => outcome === wanted).length;
  return {
    processedLines: { increment: lines },
    createdUsers: { increment: users('created') },
    updatedUsers: { increment: users('updated') },
    unchangedUsers: { increment: users('unchanged') },
    rejectedLines: { increment: new Set(issues.filter(({ severity }) => severity === 'rejected').map(({ line }) => line)).size },
    warnings: { increment: issues.filter(({ severity }) => severity === 'warning').length },
  };
}

/** Ends an import that has not ended yet, so that of two processes only one tells of it. */
async function finish(
  ctx: Context,
  { environmentId, importId }: ImportKey,
  end: { state: 'completed' | 'failed'; failure?: string },
): Promise<void> {
  const [row] = await ctx.db.import.updateManyAndReturn({
    where: { environmentId, id: importId, finishedAt: null },
    data: { ...end, finishedAt: ctx.clock.now() },
  });
  if (!row) return;
  const { businessId } = await ctx.db.environment.findUniqueOrThrow({ where: { id: environmentId }, select: { businessId: true } });
  await audit(ctx, {
    businessId,
    environmentId,
    action: `import.${end.state}`,
    target: { type: 'import', id: importId },
    details: {
      createdUsers: row.createdUsers,
      updatedUsers: row.updatedUsers,
      unchangedUsers: row.unchangedUsers,
      rejectedLines: row.rejectedLines,
      warnings: row.warnings,
    },
  });
}
