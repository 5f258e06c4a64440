/**
 * A nested Prisma query as one SQL statement that answers with one JSON text. A row is an array, without the names of
 * its fields, and a nested list is made by a subquery on the index of its relation. Cursors are row comparisons, so that
 * a deep page reads no more of the index than the first one.
 */
import { conditionsOf, objectOf } from './conditions.ts';
import type { Column, Model, Relation } from './datamodel.ts';
import { NotPlanned, type QueryShape } from './shape.ts';

export interface Statement {
  readonly text: string;
  /** What an `answer` of the statement is to Prisma. */
  decode(json: string): unknown;
}

/** Makes a value of the answer what Prisma makes of it. */
// biome-ignore lint/suspicious/noExplicitAny: whatever JSON holds
type Decoder = (value: any) => unknown;

/** An expression of JSON, and what to make of its value. */
interface Expression {
  readonly sql: string;
  readonly decode: Decoder | undefined;
}

/** The relations to one row that a list is ordered by, with the names that their tables have been joined under. */
type Joins = Map<string, string>;

/** PostgreSQL's bound on the arguments of a function, and so on the fields of a row. */
const MAX_FIELDS = 100;
const LIST_ARGUMENTS = new Set(['select', 'include', 'where', 'orderBy', 'take', 'skip', 'cursor']);

/** The statement of a query for the number of rows of `model`.
 * @throws NotPlanned for what is left to Prisma */
export function countStatementOf(models: ReadonlyMap<string, Model>, model: Model, { where, ...more }: QueryShape): Statement {
  if (Object.keys(more).length > 0) throw new NotPlanned();
  let aliases = 0;
  const conditions = conditionsOf(models, model, 'counted', objectOf(where ?? {}), () => `t${aliases++}`);
  const rows = [`SELECT count(*) FROM ${model.table} counted`, ...(conditions.length > 0 ? [`WHERE ${conditions.join(' AND ')}`] : [])];
  return { text: `SELECT (${rows.join(' ')})::text AS answer`, decode: Number };
}

/**
 * A statement of many answers, one after the other: as `statement` would have given them one at a time. Each of its
 * parameters is an array, of what that parameter would have been each time.
 * @throws NotPlanned where there is no parameter, or one is an array already
 */
export function statementOfEach({ text, decode }: Statement): Statement {
  const types: string[] = [];
  const inner = text.replaceAll(/\$(\d+)::(\w+)(\[\])?/g, (_, number: string, type: string, isArray?: string) => {
    if (isArray) throw new NotPlanned();
    types[Number(number) - 1] = type;
    return `each.p${number}`;
  });
  if (types.length === 0) throw new NotPlanned();
  const arrays = types.map((type, index) => `$${index + 1}::${type}[]`);
  const names = types.map((_, index) => `p${index + 1}`);
  return {
    text: `${inner} FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS each(${names.join(', ')}, number) ORDER BY number`,
    decode,
  };
}

/** The statement of a query for rows of `model`.
 * @throws NotPlanned for what is left to Prisma */
export function statementOf(models: ReadonlyMap<string, Model>, model: Model, query: QueryShape): Statement {
  let aliases = 0;
  const newAlias = () => `t${aliases++}`;
  const { sql, decode } = list(model, query, []);
  return { text: `SELECT ${sql}::text AS answer`, decode: (json) => decode!(JSON.parse(json)) };

  /** The rows of `model` that belong to the row of `outer`, as an array. */
  function list(target: Model, args: QueryShape, on: readonly { outer: string; there: string }[]): Expression {
    for (const name in args) if (!LIST_ARGUMENTS.has(name)) throw new NotPlanned();
    const { take, skip } = args;
    const alias = newAlias();
    const backwards = typeof take === 'number' && take < 0;
    const joins: Joins = new Map();
    const order = orderOf(target, alias, args['orderBy'], backwards, joins);
    if (backwards && order.length === 0) throw new NotPlanned();
    const belonging = (row: string) => [
      ...on.map(({ outer, there }) => `${row}.${there} = ${outer}`),
      ...conditionsOf(models, target, row, objectOf(args['where'] ?? {}), newAlias),
    ];
    const conditions = belonging(alias);
    if (args['cursor'] !== undefined) {
      if (take === undefined) throw new NotPlanned(); // Then, to Prisma, the row may be one that the list has not.
      conditions.push(
        fromCursor(target, objectOf(args['cursor']), order, on.length === 0 && target.key.length === 1 ? () => [] : belonging),
      );
    }
    const row = rowOf(target, alias, args, joins);
    const joining = [...joins].map(([name, inner]) => {
      const relation = target.relations.get(name)!;
      return ` LEFT JOIN ${models.get(relation.target)!.table} ${inner} ON ${joined(relation, alias, inner)}`;
    });
    const parts = [
      `SELECT ${row.sql} AS r FROM ${target.table} ${alias}${joining.join('')}`,
      conditions.length > 0 && `WHERE ${conditions.join(' AND ')}`,
      order.length > 0 && `ORDER BY ${order.map(({ sql: by, direction }) => `${by} ${direction}`).join(', ')}`,
      take !== undefined && `LIMIT ${Math.abs(sizeOf(take))}`,
      Boolean(skip) && `OFFSET ${sizeOf(skip)}`,
    ];
    const rows = newAlias();
    const decodeRow = row.decode;
    const decodeRows = (values: unknown[]) => {
      const decoded = decodeRow ? values.map(decodeRow) : values;
      return backwards ? decoded.reverse() : decoded;
    };
    return {
      sql: `(SELECT coalesce(json_agg(${rows}.r), '[]') FROM (${parts.filter(Boolean).join(' ')}) ${rows})`,
      decode: decodeRow || backwards ? decodeRows : undefined,
    };
  }

  /** A row with the selected fields, or with all of its columns and what is included besides. */
  function rowOf(target: Model, alias: string, { select, include = {} }: QueryShape, joins: Joins): Expression {
    const columns = [...target.columns.keys()].map((name) => [name, true] as const);
    const selected = select === undefined ? [...columns, ...Object.entries(objectOf(include))] : Object.entries(objectOf(select));
    const fields = selected
      .filter(([, content]) => content !== false)
      .map(([name, content]) => ({ name, ...fieldOf(target, alias, name, content, joins) }));
    if (fields.length === 0 || fields.length > MAX_FIELDS) throw new NotPlanned();
    const [only, ...more] = fields as [(typeof fields)[number], ...typeof fields];
    if (more.length === 0) {
      const { name, decode } = only;
      return { sql: only.sql, decode: decode ? (value) => ({ [name]: decode(value) }) : (value) => ({ [name]: value }) };
    }
    return {
      sql: `json_build_array(${fields.map(({ sql }) => sql).join(', ')})`,
      decode: (values: unknown[]) => {
        const row: Record<string, unknown> = {};
        for (let index = 0; index < fields.length; index++) {
          const { name, decode } = fields[index]!;
          row[name] = decode ? decode(values[index]) : values[index];
        }
        return row;
      },
    };
  }

  function fieldOf(target: Model, alias: string, name: string, content: unknown, joins: Joins): Expression {
    const column = target.columns.get(name);
    if (column) {
      if (content !== true) throw new NotPlanned();
      return columnOf(alias, column);
    }
    if (name === '_count') return countsOf(target, alias, content);
    const relation = target.relations.get(name);
    if (!relation) throw new NotPlanned();
    const other = models.get(relation.target)!;
    const args = content === true ? {} : objectOf(content);
    if (relation.isList) return list(other, args, outerOf(relation, alias));
    for (const argument in args) if (argument !== 'select' && argument !== 'include') throw new NotPlanned();
    const present = joins.get(name);
    const inner = present ?? newAlias();
    const { sql, decode } = rowOf(other, inner, args, new Map());
    const isArray = sql.startsWith('json_build_array(');
    const row = isArray ? sql : `json_build_array(${sql})`;
    return {
      sql: present
        ? `CASE WHEN ${present}.${relation.on[0]!.there} IS NOT NULL THEN ${row} END`
        : `(SELECT ${row} FROM ${other.table} ${inner} WHERE ${joined(relation, alias, inner)})`,
      decode: (value: unknown[] | null) => value && decode!(isArray ? value : value[0]),
    };
  }

  function countsOf(target: Model, alias: string, content: unknown): Expression {
    const { select, ...more } = objectOf(content);
    const counts = Object.entries(objectOf(select)).map(([name, filter]) => {
      const relation = target.relations.get(name);
      if (!relation?.isList) throw new NotPlanned();
      const { where = {}, ...other } = filter === true ? {} : objectOf(filter);
      if (Object.keys(other).length > 0) throw new NotPlanned();
      const there = models.get(relation.target)!;
      const inner = newAlias();
      const conditions = [joined(relation, alias, inner), ...conditionsOf(models, there, inner, objectOf(where), newAlias)];
      return { name, sql: `(SELECT count(*) FROM ${there.table} ${inner} WHERE ${conditions.join(' AND ')})` };
    });
    if (counts.length === 0 || counts.length > MAX_FIELDS || Object.keys(more).length > 0) throw new NotPlanned();
    return {
      sql: `json_build_array(${counts.map(({ sql }) => sql).join(', ')})`,
      decode: (values: number[]) => Object.fromEntries(counts.map(({ name }, index) => [name, values[index]])),
    };
  }

  interface Order {
    readonly sql: string;
    readonly direction: 'ASC' | 'DESC';
    /** The field that is ordered by, where it is one of the model's own. */
    readonly field: string | undefined;
  }

  function orderOf(target: Model, alias: string, orderBy: unknown, backwards: boolean, joins: Joins): Order[] {
    const entries = (Array.isArray(orderBy) ? orderBy : orderBy === undefined ? [] : [orderBy]).flatMap((by) =>
      Object.entries(objectOf(by)),
    );
    return entries.map(([name, content]) => {
      const relation = target.relations.get(name);
      if (relation && !relation.isList) {
        const inner = joins.get(name) ?? newAlias();
        joins.set(name, inner);
        const further: Joins = new Map();
        const [by, ...more] = orderOf(models.get(relation.target)!, inner, content, backwards, further);
        if (!by || more.length > 0 || further.size > 0) throw new NotPlanned();
        return { ...by, field: undefined };
      }
      const column = target.columns.get(name);
      if (!column || (content !== 'asc' && content !== 'desc')) throw new NotPlanned();
      return { sql: `${alias}.${column.name}`, direction: (content === 'asc') === backwards ? 'DESC' : 'ASC', field: name };
    });
  }

  /** The rows from the one that the cursor names on; none when there is no such row among those that belong to the list. */
  function fromCursor(target: Model, cursor: QueryShape, order: readonly Order[], belonging: (row: string) => string[]): string {
    const columns = order.map(({ field }) => target.columns.get(field ?? ''));
    // Else the order is not total, or no row comparison can express it.
    if (!order.some(({ field }) => field === target.key.at(-1))) throw new NotPlanned();
    if (order.some(({ direction }) => direction !== order[0]!.direction)) throw new NotPlanned();
    const comparison = order[0]!.direction === 'ASC' ? '>=' : '<=';
    const inner = newAlias();
    const conditions = [...conditionsOf(models, target, inner, cursor, newAlias), ...belonging(inner)].join(' AND ');
    const bounds = columns.map((column) => {
      if (!column?.isRequired) throw new NotPlanned();
      return `(SELECT ${inner}.${column.name} FROM ${target.table} ${inner} WHERE ${conditions})`;
    });
    return `(${order.map(({ sql: by }) => by).join(', ')}) ${comparison} (${bounds.join(', ')})`;
  }
}

function columnOf(alias: string, { name, type, isList }: Column): Expression {
  const sql = `${alias}.${name}`;
  if (isList && type !== 'String' && type !== 'Int') throw new NotPlanned();
  if (isList) return { sql, decode: (values: unknown[] | null) => values ?? [] };
  if (type === 'DateTime') return { sql, decode: (text: string | null) => text && new Date(text) };
  if (type !== 'String' && type !== 'Int' && type !== 'Boolean' && type !== 'Json') throw new NotPlanned();
  return { sql, decode: undefined };
}

function outerOf({ on }: Relation, alias: string) {
  return on.map(({ here, there }) => ({ outer: `${alias}.${here}`, there }));
}

function joined({ on }: Relation, outer: string, inner: string): string {
  return on.map(({ here, there }) => `${inner}.${there} = ${outer}.${here}`).join(' AND ');
}

function sizeOf(size: unknown): number {
  if (!Number.isSafeInteger(size)) throw new NotPlanned();
  return size as number;
}
