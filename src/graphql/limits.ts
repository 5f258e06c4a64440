/** What one document may hold: tokens, depth, and no NUL character. Measured on the document alone, before anything runs. */
import { type ASTVisitor, type FragmentDefinitionNode, GraphQLError, Kind, type SelectionSetNode, type ValidationContext } from 'graphql';

export const MAX_TOKENS = 4000;
export const MAX_DEPTH = 15;

/** A validation rule: refuses a document whose fields nest deeper than {@link MAX_DEPTH}. */
export function depthLimit(context: ValidationContext): ASTVisitor {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of context.getDocument().definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const depthOf = (set: SelectionSetNode | undefined, path: readonly string[]): number => {
    if (!set) return 0;
    return Math.max(
      0,
      ...set.selections.map((selection) => {
        if (selection.kind === Kind.FIELD) return 1 + depthOf(selection.selectionSet, path);
        if (selection.kind === Kind.INLINE_FRAGMENT) return depthOf(selection.selectionSet, path);
        const { value } = selection.name;
        return path.includes(value) ? 0 : depthOf(fragments.get(value)?.selectionSet, [...path, value]); // Cycles are another rule's.
      }),
    );
  };
  return {
    OperationDefinition(operation) {
      const introspects = operation.selectionSet.selections.every(
        (selection) => selection.kind === Kind.FIELD && selection.name.value.startsWith('__'),
      );
      if (!introspects && depthOf(operation.selectionSet, []) > MAX_DEPTH) {
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
