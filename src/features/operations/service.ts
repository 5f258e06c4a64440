/** Operations of the management graph that a business registers: callers may name them by hash, and machines be bound to a list of them. */
import type { Application, Operation } from '../../db/generated/client/client.ts';
import type { Actor, MachineActor } from '../../kernel/actor.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { sha256 } from '../../security/secrets.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, environmentScope, type Infrastructure, lockBusiness, NEXT_VERSION, scopeOfRow } from '../context.ts';
import { requireText } from '../text.ts';

/** Characters of a document. */
export const MAX_DOCUMENT = 20_000;
/** Operations of an environment. */
export const MAX_OPERATIONS = 1000;
/** Operations that one application is bound to. */
export const MAX_BOUND = 100;

export interface RegisterOperationInput {
  readonly environmentId?: string | null | undefined;
  readonly name: string;
  readonly document: string;
  /** What is wrong with a document, in a sentence; undefined when it may be registered. */
  readonly problemOf: (document: string) => string | undefined;
}

/** Registers a document as it is, to the last blank; one that is registered already takes the new name.
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_TEXT, INVALID_DOCUMENT or TOO_MANY */
export const registerOperation = action({
  permission: 'update:applications',
  scope: (ctx, input: RegisterOperationInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, { environmentId, businessId }): Promise<Operation> {
    const name = requireText(input.name, 'name');
    const { document } = input;
    if (document.length > MAX_DOCUMENT)
      throw new InvalidInputError('TOO_LONG', `This is longer than ${MAX_DOCUMENT} characters.`, ['document']);
    const problem = input.problemOf(document);
    if (problem) throw new InvalidInputError('INVALID_DOCUMENT', problem, ['document']);
    const hash = sha256(document);
    await lockBusiness(ctx, businessId);
    const key = { environmentId_hash: { environmentId, hash } };
    if (
      !(await ctx.db.operation.findUnique({ where: key })) &&
      (await ctx.db.operation.count({ where: { environmentId } })) >= MAX_OPERATIONS
    )
      throw new InvalidInputError('TOO_MANY', `An environment has at most ${MAX_OPERATIONS} operations.`);
    const operation = await ctx.db.operation.upsert({
      where: key,
      create: { environmentId, id: newId('operation'), hash, name, document },
      update: { name },
    });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'operation.registered',
      target: { type: 'operation', id: operation.id },
      details: { hash },
    });
    return operation;
  },
});

/** Deletes an operation; machines that are bound to it may not run it any more. */
export const deleteOperation = action({
  permission: 'update:applications',
  scope: (ctx, input: { readonly operationId: string }, permission) =>
    scopeOfRow(ctx, permission, 'operation', 'operationId', (environmentId) =>
      ctx.db.operation.findFirst({
        where: { ...(environmentId && { environmentId }), id: input.operationId },
        select: { environmentId: true },
      }),
    ),
  async run(ctx, { operationId }, { environmentId, businessId }): Promise<{ deletedId: string }> {
    const { hash } = await ctx.db.operation.delete({ where: { environmentId_id: { environmentId, id: operationId } } });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'operation.deleted',
      target: { type: 'operation', id: operationId },
      details: { hash },
    });
    return { deletedId: operationId };
  },
});

export interface UpdateApplicationOperationsInput {
  readonly applicationId: string;
  readonly isBoundToOperations?: boolean | null | undefined;
  /** All of them, from now on. */
  readonly operationIds?: readonly string[] | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Says which operations an application's tokens may run, from the next request on, and whether it is bound to them at all.
 * @throws InvalidInputError NO_SECRET, TOO_MANY or CONFLICT
 * @throws NotFoundError when one of the operations is not there */
export const updateApplicationOperations = action({
  permission: 'update:applications',
  scope: (ctx, input: UpdateApplicationOperationsInput, permission) =>
    scopeOfRow(ctx, permission, 'application', 'applicationId', (environmentId) =>
      ctx.db.application.findFirst({
        where: { ...(environmentId && { environmentId }), id: input.applicationId },
        select: { environmentId: true },
      }),
    ),
  async run(ctx, input, { environmentId, businessId }): Promise<Application> {
    const { applicationId } = input;
    const where = { environmentId_id: { environmentId, id: applicationId }, ...atVersion(input) };
    const application = await ctx.db.application.update({
      where,
      data: { isBoundToOperations: input.isBoundToOperations ?? undefined, ...NEXT_VERSION },
    });
    if (!application.secretHash)
      throw new InvalidInputError('NO_SECRET', 'Only an application with a secret has tokens of its own.', ['applicationId']);
    const operationIds = input.operationIds && [...new Set(input.operationIds)];
    if (operationIds) {
      if (operationIds.length > MAX_BOUND) throw new InvalidInputError('TOO_MANY', `These are more than ${MAX_BOUND}.`, ['operationIds']);
      const found = await ctx.db.operation.count({ where: { environmentId, id: { in: operationIds } } });
      if (found !== operationIds.length) throw new NotFoundError('operation', ['operationIds']);
      await ctx.db.applicationOperation.deleteMany({ where: { environmentId, applicationId, operationId: { notIn: operationIds } } });
      await ctx.db.applicationOperation.createMany({
        data: operationIds.map((operationId) => ({ environmentId, applicationId, operationId })),
        skipDuplicates: true,
      });
    }
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'application.operations_updated',
      target: { type: 'application', id: applicationId },
      details: { isBoundToOperations: application.isBoundToOperations, ...(operationIds && { operationIds }) },
    });
    return application;
  },
});

/** The registered document with this hash in one of the environments that the caller reaches. */
export async function findDocument({ database }: Infrastructure, actor: Actor, hash: string): Promise<string | undefined> {
  const environments = actor.kind === 'machine' ? [actor.environmentId] : actor.kind === 'team' ? [...actor.environments.keys()] : [];
  const [row] = await database.query<{ document: string }>(
    'find-operation',
    'SELECT document FROM operations WHERE environment_id = ANY($1) AND hash = $2 LIMIT 1',
    [environments, hash],
  );
  return row?.document;
}

/** The document with this hash among those that the machine is bound to: asked each time, so that a change counts at once. */
export async function findBoundDocument({ database }: Infrastructure, machine: MachineActor, hash: string): Promise<string | undefined> {
  const [row] = await database.query<{ document: string }>(
    'find-bound-operation',
    `SELECT o.document FROM operations o JOIN application_operations b ON b.environment_id = o.environment_id AND b.operation_id = o.id
      WHERE o.environment_id = $1 AND b.application_id = $2 AND o.hash = $3`,
    [machine.environmentId, machine.applicationId, hash],
  );
  return row?.document;
}
