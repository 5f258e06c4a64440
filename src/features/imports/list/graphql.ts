/** The list of an environment's imports. */
import { builder } from '../../../graphql/builder.ts';
import { DateTimeRange, defineOrder } from '../../../graphql/lists.ts';
import { inRange } from '../../search.ts';
import { ImportState } from '../graphql.ts';

const ImportFilter = builder.inputType('ImportFilter', {
  description: 'What imports have in common: all that is given holds of each.',
  fields: (t) => ({
    state: t.field({ type: ImportState, description: 'How far it is.' }),
    createdAt: t.field({ type: DateTimeRange, description: 'When the file was uploaded.' }),
  }),
});

const ImportOrder = defineOrder(
  'ImportOrder',
  { field: 'createdAt', direction: 'desc' },
  { CREATED_AT: { value: 'createdAt', description: 'When the file was uploaded.' } },
);

builder.prismaObjectField('Environment', 'imports', (t) =>
  t.relatedConnection('imports', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:imports',
    description: 'Its imports, newest first unless sorted otherwise.',
    args: {
      filter: t.arg({ type: ImportFilter, description: 'Which of them.' }),
      orderBy: t.arg({ type: ImportOrder.input, description: 'In which order.' }),
    },
    query: ({ filter, orderBy }) => ({
      where: { ...(filter?.state && { state: filter.state }), ...(filter?.createdAt && { createdAt: inRange(filter.createdAt) }) },
      orderBy: ImportOrder.by(orderBy),
    }),
  }),
);
