/** Prisma's conditions as SQL. What is not written here is Prisma's own to do. */
import type { Column, Model } from './datamodel.ts';
import { NotPlanned, type QueryShape, Slot } from './shape.ts';

/** Which rows of the table `alias` are meant. `newAlias` names the tables of inner conditions.
 * @throws NotPlanned */
export function conditionsOf(
  models: ReadonlyMap<string, Model>,
  model: Model,
  alias: string,
  where: QueryShape,
  newAlias: () => string,
): string[] {
  const conditionsIn = (inner: unknown) => conditionsOf(models, model, alias, objectOf(inner), newAlias);
  return Object.entries(where).flatMap(([name, content]): string | string[] => {
    if (name === 'AND') return (Array.isArray(content) ? content : [content]).flatMap(conditionsIn);
    if (name === 'OR') {
      const alternatives = listOf(content).map(conditionsIn);
      if (alternatives.some(({ length }) => length === 0)) throw new NotPlanned(); // To Prisma it is no alternative at all.
      return any(alternatives.map(all));
    }
    const column = model.columns.get(name);
    if (column) return columnCondition(`${alias}.${column.name}`, column, content);
    const compound = model.compoundKeys.get(name);
    if (compound) return conditionsIn(content);
    const relation = model.relations.get(name);
    if (!relation) throw new NotPlanned();
    const target = models.get(relation.target)!;
    const inner = newAlias();
    const exists = (filter: unknown) =>
      `EXISTS (SELECT FROM ${target.table} ${inner} WHERE ${all([
        ...relation.on.map(({ here, there }) => `${inner}.${there} = ${alias}.${here}`),
        ...conditionsOf(models, target, inner, objectOf(filter), newAlias),
      ])})`;
    if (!relation.isList) {
      const filter = objectOf(content);
      // To Prisma an empty filter is none, also where there is nothing to filter.
      if ('is' in filter || 'isNot' in filter || Object.keys(filter).length === 0) throw new NotPlanned();
      return exists(filter);
    }
    const [[quantifier, filter] = [], ...more] = Object.entries(objectOf(content));
    if (more.length > 0 || (quantifier !== 'some' && quantifier !== 'none')) throw new NotPlanned();
    return quantifier === 'some' ? exists(filter) : `NOT ${exists(filter)}`;
  });
}

const SQL_TYPES: Readonly<Record<string, string>> = { String: 'text', Int: 'int4', Boolean: 'boolean', DateTime: 'timestamptz' };
const COMPARISONS: Readonly<Record<string, string>> = { equals: '=', not: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' };
const PATTERNS: Readonly<Record<string, (value: string) => string>> = {
  contains: (value) => `'%' || ${value} || '%'`,
  startsWith: (value) => `${value} || '%'`,
  endsWith: (value) => `'%' || ${value}`,
};

function columnCondition(name: string, { type: prismaType, isList }: Column, content: unknown): string {
  const type = SQL_TYPES[prismaType];
  if (!type || isList) throw new NotPlanned();
  if (content === null) return `${name} IS NULL`;
  if (content instanceof Slot) return `${name} = ${parameter(content, type)}`;
  const { mode = 'default', ...tests } = objectOf(content);
  if (mode !== 'default' && mode !== 'insensitive') throw new NotPlanned();
  return all(
    Object.entries(tests).map(([test, value]) => {
      if (value === null && test === 'not') return `${name} IS NOT NULL`;
      if (value === null && test === 'equals') return `${name} IS NULL`;
      if (!(value instanceof Slot)) throw new NotPlanned();
      if (test in PATTERNS && type === 'text')
        return `${name} ${mode === 'insensitive' ? 'ILIKE' : 'LIKE'} ${PATTERNS[test]!(parameter(value, type))}`;
      if (mode !== 'default' || (type === 'boolean' && test !== 'equals' && test !== 'not')) throw new NotPlanned();
      if (test === 'in') return `${name} = ANY(${parameter(value, `${type}[]`)})`;
      if (test === 'notIn') return `${name} <> ALL(${parameter(value, `${type}[]`)})`;
      if (!(test in COMPARISONS)) throw new NotPlanned();
      return `${name} ${COMPARISONS[test]} ${parameter(value, type)}`;
    }),
  );
}

function parameter({ number }: Slot, type: string): string {
  return `$${number}::${type}`;
}

function all(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'true' : conditions.length === 1 ? conditions[0]! : `(${conditions.join(' AND ')})`;
}

function any(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'false' : `(${conditions.join(' OR ')})`;
}

export function objectOf(value: unknown): QueryShape {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Slot) throw new NotPlanned();
  return value as QueryShape;
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new NotPlanned();
  return value;
}
