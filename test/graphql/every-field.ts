/** A document that selects every field of the schema, made from the schema itself. */
import {
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  getNamedType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
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

/** A field whose children are still to be chosen. */
class Selection implements Selected {
  readonly coordinate: string;
  readonly name: string;
  readonly permission: string | undefined;
  readonly type: Composite | undefined;
  children: Selection[] = [];
  readonly #args: string;
  readonly isPage: boolean;

  constructor(parent: Composite, field: GraphQLField<unknown, unknown>, args = '') {
    this.coordinate = `${parent.name}.${field.name}`;
    this.name = field.name;
    this.permission = field.extensions['permission'] as string | undefined;
    this.type = objectOf(field);
    this.#args = args;
    this.isPage = field.args.some(({ name }) => name === 'first');
  }

  get text(): string {
    const inner = this.children.map(({ text }) => text).join(' ');
    if (this.isPage) return `${this.name}(first: 2) { totalCount nodes { ${inner} } }`;
    return `${this.name}${this.#args} ${this.type ? `{ ${inner} }` : ''}`;
  }
}

/** The selection with every field that it leads to: a type is entered where it is met first, elsewhere its values are enough. */
function grown<Root extends Pick<Selection, 'type' | 'children'>>(root: Root): Root {
  const entered = new Set<string>();
  for (const next: Pick<Selection, 'type' | 'children'>[] = [root]; next.length > 0; ) {
    const selection = next.shift()!;
    if (!selection.type) continue;
    const isKnown = entered.has(selection.type.name);
    entered.add(selection.type.name);
    selection.children = childrenOf(selection.type).filter(({ type }) => !isKnown || !type);
    next.push(...selection.children);
  }
  return root;
}

function childrenOf(type: Composite): Selection[] {
  return Object.values(type.getFields()).map((field) => new Selection(type, field));
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
  const root = (name: string, id: string) => grown(new Selection(query, query.getFields()[name]!, `(id: "${id}")`));
  const words = ['industries', 'timezones', 'eventTypes'].map((name) => grown(new Selection(query, query.getFields()[name]!)));
  return [root('business', ids.Business), root('environment', ids.Environment), ...words];
}

/** A mutation with every field of its payload, its input in the variable `input`. */
export function everythingOfMutation(name: string): { readonly document: string; readonly takesFile: boolean } {
  const mutation = schema.getMutationType()!;
  const field = grown(new Selection(mutation, mutation.getFields()[name]!, '(input: $input)'));
  const input = `${name[0]!.toUpperCase()}${name.slice(1)}Input`;
  const takesFile = Object.values((schema.getType(input) as GraphQLInputObjectType).getFields()).some(
    ({ type }) => String(type) === 'File!',
  );
  return { document: `mutation ($input: ${input}!) { ${field.text} }`, takesFile };
}

/** Everything that can be read of the node with this id, which is of the type. */
export function everythingOfNode(type: string, id: string): string {
  const { children } = grown({ type: schema.getType(type) as GraphQLObjectType, children: [] as Selection[] });
  return `{ node(id: "${id}") { id ... on ${type} { ${children.map(({ text }) => text).join(' ')} } } }`;
}

/** Each list that the type leads to, as a selection with every field of its rows; `$first` is the size of its page. */
export function listsOf(type: string): { readonly name: string; readonly text: string }[] {
  const lists = childrenOf(schema.getType(type) as GraphQLObjectType).filter(({ isPage }) => isPage);
  return lists.map((list) => ({ name: list.coordinate, text: grown(list).text.replace('first: 2', 'first: $first') }));
}

/** The query that selects `fields`. */
export function documentOf(fields: readonly Selected[]): string {
  return `{ ${fields.map(({ text }) => text).join(' ')} }`;
}
