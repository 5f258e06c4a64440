/**
 * What one document may hold: tokens, depth, root fields, aliases, directives, and no NUL character. Measured on the
 * document alone, before anything runs.
 */
import {
  type ASTNode,
  type ASTVisitor,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

export const MAX_TOKENS = 4000;
/** Characters of a document from nobody known: looking for conflicts in it takes time that grows with the square of its length. */
export const MAX_ANONYMOUS_LENGTH = 4000;
export const MAX_DEPTH = 15;
export const MAX_ROOT_FIELDS = 20;
export const MAX_ALIASES = 50;
export const MAX_DIRECTIVES = 50;

/** Refuses a long document of an anonymous caller before any of it is read.
 * @throws GraphQLError */
export function checkLength(document: unknown): void {
  if (typeof document === 'string' && document.length > MAX_ANONYMOUS_LENGTH)
    throw new GraphQLError(`Without a bearer token a document has at most ${MAX_ANONYMOUS_LENGTH} characters.`, {
      extensions: { code: 'QUERY_TOO_COMPLEX', http: { spec: true, status: 400 } },
    });
}

/** A validation rule: refuses a document whose fields nest deeper than {@link MAX_DEPTH}. */
function depthLimit(context: ValidationContext): ASTVisitor {
  const depths = new Map<string, number>(); // Each fragment is measured once, however often it is spread.
  const depthOfFragment = (name: string): number => {
    if (!depths.has(name)) {
      depths.set(name, 0); // What it is within itself: cycles are another rule's.
      depths.set(name, depthOf(context.getFragment(name)?.selectionSet));
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
        refuse(context, operation, `The document nests deeper than ${MAX_DEPTH} fields.`);
      }
    },
  };
}

/** A validation rule: refuses an operation that asks for more than {@link MAX_ROOT_FIELDS} fields at its root, by whatever fragments. */
function rootFieldLimit(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(operation) {
      const names = new Set<string>();
      const visited = new Set<string>();
      const collect = (set: SelectionSetNode | undefined): void => {
        for (const selection of set?.selections ?? []) {
          if (selection.kind === Kind.FIELD) names.add((selection.alias ?? selection.name).value);
          else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
          else if (!visited.has(selection.name.value)) {
            visited.add(selection.name.value);
            collect(context.getFragment(selection.name.value)?.selectionSet);
          }
        }
      };
      collect(operation.selectionSet);
      if (names.size > MAX_ROOT_FIELDS) refuse(context, operation, `The operation has more than ${MAX_ROOT_FIELDS} fields at its root.`);
    },
  };
}

/** A validation rule: refuses a document in which more than {@link MAX_ALIASES} fields have an alias. */
function aliasLimit(context: ValidationContext): ASTVisitor {
  let aliases = 0;
  return {
    Field(field) {
      if (field.alias && ++aliases === MAX_ALIASES + 1) refuse(context, field, `The document has more than ${MAX_ALIASES} aliases.`);
    },
  };
}

/** A validation rule: refuses a document with more than {@link MAX_DIRECTIVES} directives. */
function directiveLimit(context: ValidationContext): ASTVisitor {
  let directives = 0;
  return {
    Directive(directive) {
      if (++directives === MAX_DIRECTIVES + 1) refuse(context, directive, `The document has more than ${MAX_DIRECTIVES} directives.`);
    },
  };
}

function refuse(context: ValidationContext, nodes: ASTNode, message: string): void {
  context.reportError(new GraphQLError(message, { nodes, extensions: { code: 'QUERY_TOO_COMPLEX' } }));
}

/** Every rule of this module. */
export const documentRules: readonly ValidationRule[] = [depthLimit, rootFieldLimit, aliasLimit, directiveLimit, noNul];

const NUL = 'The character NUL cannot be kept in any text.';

/** A validation rule: refuses literals with the one character that PostgreSQL's texts cannot hold. */
function noNul(context: ValidationContext): ASTVisitor {
  return {
    StringValue(node) {
      if (holdsNul(node.value)) context.reportError(new GraphQLError(NUL, { nodes: node, extensions: { code: 'BAD_USER_INPUT' } }));
    },
  };
}

/** How deep the lists and objects of variables may nest: deeper than those of any input. */
const MAX_NESTING = 100;

/** Refuses the same character in what a document's variables bring, and what nests deeper than {@link MAX_NESTING}.
 * @throws GraphQLError */
export function checkVariables(variables: unknown): void {
  if (holdsNul(variables)) throw new GraphQLError(NUL, { extensions: { code: 'BAD_USER_INPUT' } });
}

function holdsNul(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.includes('\0');
  // Not into what JSON does not make: an uploaded file.
  if (typeof value !== 'object' || value === null || !(Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype))
    return false;
  if (depth > MAX_NESTING)
    throw new GraphQLError(`The variables nest deeper than ${MAX_NESTING} levels.`, { extensions: { code: 'BAD_USER_INPUT' } });
  return Object.entries(value).some(([name, inner]) => holdsNul(name) || holdsNul(inner, depth + 1));
}
