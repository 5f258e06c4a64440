/** Operations of the management graph that a business registers: callers may name them by hash, and machines be bound to a list of them. */
import type { Actor, MachineActor } from '../../kernel/actor.ts';
import type { Infrastructure } from '../context.ts';

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
