/**
 * Prisma's client, whose `findMany` and `findFirst` outside of transactions are answered by one prepared statement where
 * the query is of the common kind: selections, relations, conditions, order, pages. Such a read takes a third of the time
 * that Prisma takes for it, and a deep page no longer than a first one. Whatever else a query holds, Prisma answers.
 *
 * Such a read is a plain promise: it cannot be an element of `$transaction([…])`.
 */
import type { Database } from '../client.ts';
import type { PrismaClient } from '../generated/client/client.ts';
import { type Model, readModels } from './datamodel.ts';
import { NotPlanned, type QueryShape, shapeOf } from './shape.ts';
import { type Statement, statementOf } from './statement.ts';

/** Statements that are kept, and prepared on each connection. What is beyond is made and planned anew each time. */
const MAX_STATEMENTS = 500;

/**
 * Which index helps depends on the pattern: PostgreSQL plans such a statement with its values each time, and not once for
 * all of them, as it does from the sixth time on with one that has a name.
 */
const HAS_PATTERN = / I?LIKE /;

/** A query that has been seen is kept by its shape; Prisma answers those without a statement. */
interface Known {
  readonly name: string | undefined;
  readonly statement: Statement | undefined;
}

type Find = (args?: object) => Promise<unknown>;

/** `prisma` with planned reads, which `query` runs. */
export function withPlannedReads(prisma: PrismaClient, query: Database['query']): PrismaClient {
  const models = readModels(prisma);
  const delegates = new Map<PropertyKey, object>();
  for (const model of models.values()) {
    const name = model.name[0]!.toLowerCase() + model.name.slice(1);
    delegates.set(name, withReads(Reflect.get(prisma, name) as object, reader(models, model, query)));
  }
  return new Proxy(prisma, {
    get(target, property) {
      const delegate = delegates.get(property);
      if (delegate) return delegate;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function withReads(delegate: object, read: (args: object) => Promise<unknown[]> | undefined): object {
  const [findMany, findFirst] = [Reflect.get(delegate, 'findMany') as Find, Reflect.get(delegate, 'findFirst') as Find];
  const planned: Record<string, Find> = {
    findMany: (args = {}) => read(args) ?? findMany(args),
    findFirst: (args = {}) => ('take' in args ? undefined : read({ ...args, take: 1 })?.then(([row = null]) => row)) ?? findFirst(args),
  };
  return Object.assign(Object.create(delegate) as object, planned);
}

/** Reads rows of `model`; undefined where the query is Prisma's to answer. */
function reader(models: ReadonlyMap<string, Model>, model: Model, query: Database['query']) {
  const known = new Map<string, Known>();
  const make = (key: string, shape: QueryShape): Known => {
    const statement = planned(models, model, shape);
    const isKept = known.size < MAX_STATEMENTS;
    const name = isKept && statement && !HAS_PATTERN.test(statement.text) ? `read-${model.name}-${known.size}` : undefined;
    const made = { statement, name };
    if (isKept) known.set(key, made);
    return made;
  };
  return (args: object): Promise<unknown[]> | undefined => {
    const shape = planning(() => shapeOf(args));
    if (!shape) return undefined;
    const { name, statement } = known.get(shape.key) ?? make(shape.key, shape.query);
    return statement && query<{ answer: string }>(name, statement.text, shape.values).then(([row]) => statement.decode(row!.answer));
  };
}

function planned(models: ReadonlyMap<string, Model>, model: Model, shape: QueryShape): Statement | undefined {
  return planning(() => statementOf(models, model, shape));
}

function planning<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof NotPlanned) return undefined;
    throw error;
  }
}
