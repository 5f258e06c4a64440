/** Queries as a resolver may plan them, made up. */
import type { Column, Model } from '../../src/db/reads/datamodel.ts';

/** Texts that are hard to quote. */
export const NAMES = ['Ann', 'ANN', 'O"Neil', "O'Neil", 'back\\slash', '100%', 'a_b', 'Žofie', '日本', '{"json":[1]}', 'line\nbreak', ''];

/** The models that have rows. */
export const WITH_ROWS = [
  'User',
  'Identity',
  'Organization',
  'Membership',
  'Role',
  'Permission',
  'Environment',
  'Business',
  'Application',
  'AuditEvent',
];
/** Those that only join others. */
export const JOINING = ['MembershipRole', 'MembershipPermission', 'RolePermission'];

/** Makes queries at random, the same ones in each run: of what a resolver may plan, nested three deep. */
export function queryMaker(
  seed: number,
  models: ReadonlyMap<string, Model>,
  rows: ReadonlyMap<string, readonly Record<string, unknown>[]>,
) {
  const random = randomNumbers(seed);
  const some = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const maybe = (chance: number) => random() < chance;

  const value = (model: Model, field: string): unknown => {
    const found = some(rows.get(model.name) ?? [])?.[field];
    return found ?? (model.columns.get(field)!.type === 'String' ? some([...NAMES, "'; DROP TABLE users; --", '$1']) : undefined);
  };
  const relationsOf = (model: Model) => [...model.relations].filter(([, { target }]) => [...WITH_ROWS, ...JOINING].includes(target));
  const filterable = (model: Model) => [...model.columns].filter(([, { type, isList }]) => !isList && type !== 'Json');
  const columnFilter = (model: Model, [field, column]: [string, Column]): unknown => {
    const one = value(model, field);
    if (one === undefined) return column.isRequired ? undefined : { not: null };
    const tests: unknown[] = [one, { equals: one }, { not: one }];
    if (!column.isRequired) tests.push(null, { not: null });
    if (column.type === 'String')
      tests.push({ contains: String(one).slice(0, 2), mode: 'insensitive' }, { startsWith: String(one).slice(0, 3) }, { endsWith: 'n' });
    if (column.type !== 'Boolean') {
      tests.push({ in: [one, value(model, field) ?? one] }, { in: [] }, { notIn: [one] });
      tests.push({ gte: one }, { lt: one }, { gt: one, lte: value(model, field) ?? one });
    }
    return some(tests);
  };
  const where = (model: Model, depth: number): Record<string, unknown> => {
    const conditions: Record<string, unknown> = {};
    const column = some(filterable(model));
    if (maybe(0.6)) conditions[column[0]] = columnFilter(model, column);
    // An empty alternative is not planned.
    const alternative = () => ({ [model.key[0]!]: { not: 'x' }, ...where(model, depth - 1) });
    if (depth > 0 && maybe(0.2)) conditions['OR'] = [alternative(), alternative()];
    if (depth > 0 && maybe(0.2))
      conditions['AND'] = maybe(0.5) ? where(model, depth - 1) : [where(model, depth - 1), where(model, depth - 1)];
    const [name, relation] = some(relationsOf(model)) ?? [];
    if (depth > 0 && relation && maybe(0.3)) {
      const inner = where(models.get(relation.target)!, depth - 1);
      if (relation.isList || Object.keys(inner).length > 0)
        conditions[name!] = relation.isList ? { [some(['some', 'none'])]: inner } : inner;
    }
    return conditions;
  };
  const orderBy = (model: Model) => {
    const direction = some(['asc', 'desc'] as const);
    const total = model.key.map((field) => ({ [field]: direction }));
    if (model.name === 'MembershipRole') return [{ role: { key: direction } }, ...total];
    return [...(model.columns.has('createdAt') && maybe(0.7) ? [{ createdAt: direction }] : []), ...total];
  };
  const select = (model: Model, depth: number): Record<string, unknown> => {
    const selected: Record<string, unknown> = Object.fromEntries(
      [...model.columns.keys()].filter(() => maybe(0.4)).map((name) => [name, true]),
    );
    selected[model.key.at(-1)!] = true;
    for (const [name, relation] of depth > 0 ? relationsOf(model) : []) {
      const target = models.get(relation.target)!;
      if (maybe(0.35)) selected[name] = relation.isList ? list(target, depth - 1) : maybe(0.2) ? true : content(target, depth - 1);
    }
    const lists = relationsOf(model).filter(([, { isList }]) => isList);
    if (lists.length > 0 && maybe(0.3)) {
      const [name, { target }] = some(lists);
      selected['_count'] = { select: { [name]: maybe(0.5) ? true : { where: where(models.get(target)!, 0) } } };
    }
    return selected;
  };
  const content = (model: Model, depth: number): Record<string, unknown> => {
    const selected = select(model, depth);
    const included = Object.entries(selected).filter(([name]) => !model.columns.has(name));
    return included.length > 0 && maybe(0.3) ? { include: Object.fromEntries(included) } : { select: selected };
  };
  const list = (model: Model, depth: number): Record<string, unknown> => {
    const query = {
      ...(maybe(0.9) && content(model, depth)),
      ...(maybe(0.5) && { where: where(model, 2) }),
      orderBy: orderBy(model),
      ...(maybe(0.5) && { take: some([0, 1, 2, 5, 20, -1, -3]) }),
      ...(maybe(0.3) && { skip: some([0, 1, 2]) }),
    };
    if (JOINING.includes(model.name) || maybe(0.6)) return query;
    const row = some(rows.get(model.name)!);
    const key = Object.fromEntries(model.key.map((field) => [field, row[field]]));
    return { take: 3, ...query, cursor: model.key.length === 1 ? key : { [model.key.join('_')]: key } };
  };
  return { query: (model: Model) => list(model, 3) };
}

/** Numbers from 0 to 1 that look random (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
