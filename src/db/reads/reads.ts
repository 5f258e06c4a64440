/**
 * Prisma's client, whose `findMany` and `findFirst` outside of transactions are answered by one prepared statement where
 * the query is of the common kind: selections, relations, conditions, order, pages. Such a read takes a third of the time
 * that Prisma takes for it, and a deep page no longer than a first one. Whatever else a query holds, Prisma answers.
 *
 * Such a read is a plain promise: it cannot be an element of `$transaction([…])`.
 *
 * Queries that differ only in values, as the rows of a page ask them, are answered together: {@link findManyEach}.
 */
import type { Database } from '../client.ts';
import type { PrismaClient } from '../generated/client/client.ts';
import { counted, countedRows } from './budget.ts';
import { type Model, readModels } from './datamodel.ts';
import { NotPlanned, shapeOf } from './shape.ts';
import { countStatementOf, type Statement, statementOf, statementOfEach } from './statement.ts';

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

/** What is asked of each of many queries. */
type Question = 'findMany' | 'count';

interface Reader {
  /** The rows of a query; undefined where it is Prisma's to answer. */
  find(args: object): Promise<unknown[]> | undefined;
  /** An answer to each of the queries that are not Prisma's. */
  answers(question: Question, queries: readonly object[]): Promise<Map<object, unknown>>;
}

/** Of each model's delegate with planned reads. */
const readers = new WeakMap<object, Reader>();

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

/** The rows of each of `queries`: one statement for all that differ only in values. */
export function findManyEach<Query extends object, Row>(
  delegate: { findMany(query: Query): PromiseLike<Row[]> },
  queries: readonly Query[],
): Promise<ReadonlyMap<Query, Row[]>> {
  return each(delegate, 'findMany', queries, (query) => delegate.findMany(query));
}

/** The number of rows of each of `queries`: one statement for all that differ only in values. */
export function countEach<Query extends { readonly where?: object | undefined }>(
  delegate: { count(query: Query): PromiseLike<number> },
  queries: readonly Query[],
): Promise<ReadonlyMap<Query, number>> {
  return each(delegate, 'count', queries, (query) => delegate.count(query));
}

async function each<Query extends object, Answer>(
  delegate: object,
  question: Question,
  queries: readonly Query[],
  alone: (query: Query) => PromiseLike<Answer>,
): Promise<ReadonlyMap<Query, Answer>> {
  const answers = ((await readers.get(delegate)?.answers(question, queries)) ?? new Map()) as Map<Query, Answer>;
  for (const query of queries) if (!answers.has(query)) answers.set(query, await alone(query));
  return answers;
}

function withReads(delegate: object, reader: Reader): object {
  const ofPrisma = (name: string, args?: object) => countedRows(() => (Reflect.get(delegate, name) as Find)(args));
  const planned: Record<string, Find> = {
    findMany: (args = {}) => reader.find(args) ?? ofPrisma('findMany', args),
    findFirst: (args = {}) =>
      ('take' in args ? undefined : reader.find({ ...args, take: 1 })?.then(([row = null]) => row)) ?? ofPrisma('findFirst', args),
    // Those that are asked in one go, Prisma answers by one statement.
    findUnique: (args) => ofPrisma('findUnique', args),
    findUniqueOrThrow: (args) => ofPrisma('findUniqueOrThrow', args),
  };
  // Not by assignment: Prisma's delegate would take it for itself, and ask us for what we leave to it.
  const withPlanned = Object.create(delegate, Object.getOwnPropertyDescriptors(planned)) as object;
  readers.set(withPlanned, reader);
  return withPlanned;
}

/** Reads rows of `model`. */
function reader(models: ReadonlyMap<string, Model>, model: Model, query: Database['query']): Reader {
  const known = new Map<string, Known>();
  const knownAs = (key: string, make: () => Statement): Known => {
    const present = known.get(key);
    if (present) return present;
    const statement = planning(make);
    const isKept = known.size < MAX_STATEMENTS;
    const name = isKept && statement && !HAS_PATTERN.test(statement.text) ? `read-${model.name}-${known.size}` : undefined;
    const made = { statement, name };
    if (isKept) known.set(key, made);
    return made;
  };
  return {
    find(args) {
      const shape = planning(() => shapeOf(args));
      if (!shape) return undefined;
      const { name, statement } = knownAs(shape.key, () => statementOf(models, model, shape.query));
      if (!statement) return undefined;
      return query<{ answer: string }>(name, statement.text, shape.values).then(
        ([row]) => statement.decode(counted(row!.answer)) as unknown[],
      );
    },
    async answers(question, queries) {
      const answers = new Map<object, unknown>();
      const shaped = queries.map((asked) => ({ asked, shape: planning(() => shapeOf(asked)) }));
      const alike = Map.groupBy(shaped, ({ shape }) => shape?.key);
      const statementFor: (...query: Parameters<typeof statementOf>) => Statement = question === 'count' ? countStatementOf : statementOf;
      for (const [key, group] of alike) {
        const { shape } = group[0]!;
        if (!shape) continue;
        const { name, statement } = knownAs(`${question} each ${key}`, () => statementOfEach(statementFor(models, model, shape.query)));
        if (!statement) continue;
        const columns = shape.values.map((_, index) => group.map((each) => each.shape!.values[index]));
        const rows = await query<{ answer: string }>(name, statement.text, columns);
        for (const [index, { answer }] of rows.entries()) answers.set(group[index]!.asked, statement.decode(counted(answer)));
      }
      return answers;
    },
  };
}

function planning<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof NotPlanned) return undefined;
    throw error;
  }
}
