/**
 * What a document may ask of a list, checked before anything runs: a page that is too large is refused, not cut, and a
 * cursor is good for its own list only.
 */
import { parsePrismaCursor } from '@pothos/plugin-prisma';
import { type FieldNode, GraphQLError, type GraphQLField, getNamedType, isObjectType } from 'graphql';
import type { Actor } from '../kernel/actor.ts';
import { isKeyOf } from './node.ts';
import { DEFAULT_PAGE, MAX_PAGE } from './pages.ts';

/** For clients that take the status for what it says (GraphQL over HTTP): the document was not run. */
export const NOT_RUN = { http: { spec: true, status: 400 } };

/** What a connection's field is called with. */
export interface PageArguments {
  readonly first?: number | null;
  readonly last?: number | null;
  readonly after?: string | null;
  readonly before?: string | null;
}

/** The size of the page that a connection is asked for; what is wrong with it goes to `errors`. */
export function pageSize(
  { first, last, after, before }: PageArguments,
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  actor: Actor,
  errors: GraphQLError[],
): number {
  const refuse = (message: string) =>
    errors.push(new GraphQLError(message, { nodes: node, extensions: { code: 'BAD_USER_INPUT', ...NOT_RUN } }));

  const forward = first ?? after;
  const backward = last ?? before;
  if (forward != null && backward != null) refuse('A page is asked for with first and after, or with last and before.');
  for (const [name, size] of Object.entries({ first, last }))
    if (size != null && (size < 0 || size > MAX_PAGE)) refuse(`Argument "${name}" is a number from 0 to ${MAX_PAGE}.`);
  for (const [name, cursor] of Object.entries({ after, before }))
    if (cursor != null && !isCursorOf(field, cursor, actor)) refuse(`Argument "${name}" is not a cursor of this list.`);
  return Math.max(0, first ?? last ?? DEFAULT_PAGE);
}

/** Is the cursor one that the list may have given to the actor? Another tenant's is like one that was made up. */
function isCursorOf(connection: GraphQLField<unknown, unknown>, cursor: string, actor: Actor): boolean {
  const type = getNamedType(connection.type);
  const node = isObjectType(type) ? getNamedType(type.getFields()['nodes']!.type) : undefined;
  try {
    const key = parsePrismaCursor(cursor);
    return isKeyOf(node?.name ?? '', key) && isWithinReach(actor, Array.isArray(key) ? key[0] : key);
  } catch {
    return false;
  }
}

function isWithinReach(actor: Actor, tenantId: string): boolean {
  if (actor.kind === 'machine') return tenantId === actor.environmentId || tenantId === actor.businessId;
  return actor.kind === 'team' && (actor.environments.has(tenantId) || actor.businesses.has(tenantId));
}
