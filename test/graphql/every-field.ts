/** A document that selects every field of the schema, made from the schema itself. */
import { type GraphQLField, type GraphQLInterfaceType, type GraphQLObjectType, getNamedType, isInterfaceType, isObjectType } from 'graphql';
import { schema } from '../../src/graphql/schema.ts';

type Composite = GraphQLObjectType | GraphQLInterfaceType;

/** A field of the document, with the permission that the schema says it takes. */
export interface Selected {
  readonly coordinate: string;
  readonly name: string;
  readonly permission: string | undefined;
  readonly text: string;
  readonly children: readonly Selected[];
}

/** Selects every field of a type, and of what it leads to; a type is not entered again below itself. */
function everyField(type: Composite, above: readonly string[] = []): Selected[] {
  return Object.values(type.getFields())
    .filter((field) => !above.includes(objectOf(field)?.name ?? ''))
    .map((field) => select(type, field, [...above, type.name]));
}

function select(parent: Composite, field: GraphQLField<unknown, unknown>, above: readonly string[] = [], args = ''): Selected {
  const object = objectOf(field);
  const isConnection = field.args.some(({ name }) => name === 'first');
  const children = object ? everyField(object, above) : [];
  const inner = children.map(({ text }) => text).join(' ');
  const selection = isConnection ? `(first: 2) { totalCount nodes { ${inner} } }` : object ? `{ ${inner} }` : '';
  return {
    coordinate: `${parent.name}.${field.name}`,
    name: field.name,
    permission: field.extensions['permission'] as string | undefined,
    text: `${field.name}${args} ${selection}`,
    children,
  };
}

/** The object that a field leads to, a page's rows in the place of the page. */
function objectOf(field: GraphQLField<unknown, unknown>): Composite | undefined {
  const type = getNamedType(field.type);
  if (!isObjectType(type) && !isInterfaceType(type)) return undefined;
  return type.name.endsWith('Connection') ? objectOf(type.getFields()['nodes']!) : type;
}

/** The fields that can be reached through nothing but what `held` allows. */
export function reachable(fields: readonly Selected[], held: ReadonlySet<string>): string[] {
  const within = fields.filter(({ permission }) => !permission || held.has(permission));
  return [...new Set(within.flatMap(({ coordinate, children }) => [coordinate, ...reachable(children, held)]))].sort();
}

/** Everything that can be read of a business and of one of its environments, and the words that are the same for all. */
export function everythingOf(ids: { readonly Business: string; readonly Environment: string }): Selected[] {
  const query = schema.getQueryType()!;
  const root = (name: string, id: string) => select(query, query.getFields()[name]!, [], `(id: "${id}")`);
  const words = ['industries', 'timezones'].map((name) => select(query, query.getFields()[name]!));
  return [root('business', ids.Business), root('environment', ids.Environment), ...words];
}

/** A mutation with every field of its payload, its input in the variable `input`. */
export function everythingOfMutation(name: string): { readonly field: Selected; readonly document: string } {
  const mutation = schema.getMutationType()!;
  const field = select(mutation, mutation.getFields()[name]!, [], '(input: $input)');
  return { field, document: `mutation ($input: ${name[0]!.toUpperCase()}${name.slice(1)}Input!) { ${field.text} }` };
}

/** Everything that can be read of the node with this id, which is of the type. */
export function everythingOfNode(type: string, id: string): string {
  const fields = everyField(schema.getType(type) as GraphQLObjectType);
  return `{ node(id: "${id}") { id ... on ${type} { ${fields.map(({ text }) => text).join(' ')} } } }`;
}

/** The query that selects `fields`. */
export function documentOf(fields: readonly Selected[]): string {
  return `{ ${fields.map(({ text }) => text).join(' ')} }`;
}
