/**
 * What two queries have in common when they differ only in values. A statement is made once for a shape, and every query
 * of that shape is the statement with its own values: they travel as parameters, and never get into a text.
 */

/** Where a value stood: the `number`th parameter, from 1. */
export class Slot {
  readonly number: number;
  constructor(number: number) {
    this.number = number;
  }
}

/** The query holds something that only Prisma itself understands. */
export class NotPlanned extends Error {}

export interface Shape {
  /** Equal for queries of one shape, and for no others. */
  readonly key: string;
  /** The query with a {@link Slot} in the place of each value. */
  readonly query: QueryShape;
  readonly values: readonly unknown[];
}

export type QueryShape = { readonly [name: string]: unknown };

/** The shape of a query, as `findMany` takes it.
 * @throws NotPlanned */
export function shapeOf(query: object): Shape {
  const values: unknown[] = [];
  let key = '';

  /** Everything outside of conditions is structure: names, directions, sizes. */
  const structure = (value: unknown): unknown => {
    if (Array.isArray(value)) return list(value, structure);
    if (isPlain(value))
      return object(value, (name, inner) => (name === 'where' || name === 'cursor' ? condition(inner) : structure(inner)));
    if (value !== null && typeof value === 'object') throw new NotPlanned();
    key += JSON.stringify(value);
    return value;
  };
  const condition = (value: unknown, name?: string): unknown => {
    if (value === null) {
      key += 'null';
      return null;
    }
    if (name === 'mode') return structure(value);
    if (Array.isArray(value) && (name === 'AND' || name === 'OR')) return list(value, condition);
    if (isPlain(value)) return object(value, (inner, content) => condition(content, inner));
    if (!(Array.isArray(value) ? value.every(isValue) : isValue(value))) throw new NotPlanned();
    key += '?';
    return new Slot(values.push(value));
  };
  const list = (items: readonly unknown[], visit: (item: unknown) => unknown): unknown[] => {
    key += '[';
    const visited = items.map((item) => {
      const inner = visit(item);
      key += ',';
      return inner;
    });
    key += ']';
    return visited;
  };
  const object = (from: Record<string, unknown>, visit: (name: string, value: unknown) => unknown): QueryShape => {
    const visited: Record<string, unknown> = {};
    key += '{';
    for (const name in from) {
      const value = from[name];
      if (value === undefined) continue;
      key += `${name}:`;
      visited[name] = visit(name, value);
      key += ',';
    }
    key += '}';
    return visited;
  };
  const shaped = structure(query) as QueryShape;
  return { key, query: shaped, values };
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isValue(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' || value instanceof Date;
}
