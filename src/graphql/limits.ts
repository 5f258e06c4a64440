/** What one document may hold: tokens, depth, and no NUL character. Measured on the document alone, before anything runs. */
import { type ASTVisitor, type FragmentDefinitionNode, GraphQLError, Kind, type SelectionSetNode, type ValidationContext } from 'graphql';

export const MAX_TOKENS = 4000;
export const MAX_DEPTH = 15;

/** A validation rule: refuses a document whose fields nest deeper than {@link MAX_DEPTH}. */
export function depthLimit(context: ValidationContext): ASTVisitor {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of context.getDocument().definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const depths = new Map<string, number>(); // Each fragment is measured once, however often it is spread.
  const depthOfFragment = (name: string): number => {
    if (!depths.has(name)) {
      depths.set(name, 0); // What it is within itself: cycles are another rule's.
      depths.set(name, depthOf(fragments.get(name)?.selectionSet));
    }
    return depths.get(name)!;
  };
  const depthOf = (set: SelectionSetNode | undefined): number =>
    Math.max(
      0,
      ...(set?.selections ?? []).map((selection) => {
        if (selection.kind === Kind.FRAGMENT_SPREAD) return depthOfFragment(selection.name.value);
        return depthOf(selection.selectionSet) + (selection.kind === Kind.FIELD ? 1 : 0);
      }),
    );
  return {
    OperationDefinition(operation) {
      const introspects = operation.selectionSet.selections.every(
        (selection) => selection.kind === Kind.FIELD && selection.name.value.startsWith('__'),
      );
      if (!introspects && depthOf(operation.selectionSet) > MAX_DEPTH) {
        context.reportError(
          new GraphQLError(`The document nests deeper than ${MAX_DEPTH} fields.`, {
            nodes: operation,
            extensions: { code: 'QUERY_TOO_COMPLEX' },
          }),
        );
      }
    },
  };
}

const NUL = 'The character NUL cannot be kept in any text.';

/** A validation rule: refuses literals with the one character that PostgreSQL's texts cannot hold. */
export function noNul(context: ValidationContext): ASTVisitor {
  return {
    StringValue(node) {
      if (holdsNul(node.value)) context.reportError(new GraphQLError(NUL, { nodes: node, extensions: { code: 'BAD_USER_INPUT' } }));
    },
  };
}

/** As {@link noNul}, for what a document's variables bring.
 * @throws GraphQLError */
export function assertNoNul(variables: unknown): void {
  if (holdsNul(variables)) throw new GraphQLError(NUL, { extensions: { code: 'BAD_USER_INPUT' } });
}

function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (Array.isArray(value)) return value.some(holdsNul);
  // Not into what JSON does not make: an uploaded file.
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype && holdsNul(Object.values(value));
}
