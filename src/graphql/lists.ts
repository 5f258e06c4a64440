/**
 * How a list is narrowed and sorted: its `filter` and `orderBy` arguments. A list offers only what an index answers that
 * begins with the tenant, and every order ends in the id, so that pages neither repeat a row nor lose one.
 */
import { builder } from './builder.ts';

const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which end of a list comes first.',
  values: {
    ASC: { value: 'asc', description: 'The oldest, the smallest, or the first of the alphabet.' },
    DESC: { value: 'desc', description: 'The newest, the largest, or the last of the alphabet.' },
  } as const,
});

/** `DateTimeRange`: a stretch of time, open at either end. */
export const DateTimeRange = builder.inputType('DateTimeRange', {
  description: 'A stretch of time. An end that is absent is open.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'The first moment of it.' }),
    before: t.field({ type: 'DateTime', description: 'The first moment after it.' }),
  }),
});

interface Order<Column extends string> {
  readonly field: Column;
  readonly direction: 'asc' | 'desc';
}

/**
 * Adds the input `name` with its enum of fields, each a column that holds no null and that an index sorts with the id.
 * `by` makes of it what Prisma sorts by, and of none `otherwise`.
 */
export function defineOrder<const Column extends string>(
  name: string,
  otherwise: Order<NoInfer<Column>>,
  fields: Readonly<Record<string, { readonly value: Column; readonly description: string }>>,
) {
  const what = name.replace(/Order$/, '');
  const Field = builder.enumType(`${name}Field`, {
    description: `What a list of ${what} rows can be sorted by.`,
    values: fields as Record<string, { value: Column; description: string }>,
  });
  const input = builder.inputType(name, {
    description: `How a list of ${what} rows is sorted. Rows that are equal in it follow their ids.`,
    fields: (t) => ({
      field: t.field({ type: Field, required: true, description: 'By what.' }),
      direction: t.field({ type: OrderDirection, required: true, defaultValue: 'asc', description: 'From which end.' }),
    }),
  });
  const by = (order: Order<string> | null | undefined) => {
    const { field, direction } = order ?? otherwise;
    return [{ [field]: direction }, { id: direction }] as [Record<Column, 'asc' | 'desc'>, { id: 'asc' | 'desc' }];
  };
  return { input, by };
}
