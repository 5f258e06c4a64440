/** Reads a document that is to be explained: parsed and validated by the rules that execution has, and never run. */
import {
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
  valueFromASTUntyped,
} from 'graphql';
import { InvalidInputError } from '../kernel/errors.ts';
import { codeOf, messageOf } from './errors.ts';
import { documentRules, MAX_TOKENS } from './limits.ts';

/** A valid operation. */
export interface Operation {
  readonly schema: GraphQLSchema;
  readonly definition: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** A variable that is not in here has no value yet. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What a caller asks about. */
export interface OperationText {
  readonly document: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: unknown;
}

/** How many of a document's mistakes are shown. */
const MAX_SHOWN = 10;

/**
 * The operation that a document holds. Names that are like a mistyped one are told only with `suggestions`.
 * @throws GraphQLError BAD_USER_INPUT or QUERY_TOO_COMPLEX, with what is wrong in the document and where
 * @throws InvalidInputError for an operation name or variables that are none
 */
export function readOperation(
  schema: GraphQLSchema,
  { document, operationName, variables }: OperationText,
  suggestions: boolean,
): Operation {
  const parsed = parseWithin(document, suggestions);
  const mistakes = validate(schema, parsed, [...specifiedRules, ...documentRules]);
  if (mistakes.length > 0) throw invalid(mistakes, suggestions);
  const definition = getOperationAST(parsed, operationName);
  if (!definition) throw new InvalidInputError('NO_OPERATION', 'The document holds no operation of this name.', ['operationName']);
  const fragments = parsed.definitions.filter((each) => each.kind === Kind.FRAGMENT_DEFINITION);
  return {
    schema,
    definition,
    fragments: new Map(fragments.map((fragment) => [fragment.name.value, fragment])),
    variables: valuesOf(definition, variables ?? {}),
  };
}

function parseWithin(document: string, suggestions: boolean) {
  try {
    return parse(document, { maxTokens: MAX_TOKENS });
  } catch (error) {
    throw error instanceof GraphQLError ? invalid([error], suggestions) : error;
  }
}

/** One error about the document, whose places are the document's own and not those of the one that runs. */
function invalid(mistakes: readonly GraphQLError[], suggestions: boolean): GraphQLError {
  const shown = mistakes.slice(0, MAX_SHOWN).map((mistake) => {
    const [at] = mistake.locations ?? [];
    return `${messageOf(mistake, suggestions)}${at ? ` (line ${at.line}, column ${at.column})` : ''}`;
  });
  return new GraphQLError(`The document is not valid. ${shown.join(' ')}`, { extensions: { code: codeOf(mistakes[0]!) } });
}

/** The variables' values, or their defaults. They are looked at for ids and conditions only, and need not be complete. */
function valuesOf({ variableDefinitions = [] }: OperationDefinitionNode, given: unknown): Record<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new InvalidInputError('INVALID_VARIABLES', 'The variables are an object, by name.', ['variables']);
  const values: Record<string, unknown> = Object.create(null);
  for (const { variable, defaultValue } of variableDefinitions) {
    const name = variable.name.value;
    if (Object.hasOwn(given, name)) values[name] = (given as Record<string, unknown>)[name];
    else if (defaultValue) values[name] = valueFromASTUntyped(defaultValue);
  }
  return values;
}
