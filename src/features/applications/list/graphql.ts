/** The list of an environment's applications. */
import { builder } from '../../../graphql/builder.ts';
import { DateTimeRange, defineOrder } from '../../../graphql/lists.ts';
import { amongFew, inRange } from '../../search.ts';
import { ApplicationTypeEnum } from '../graphql.ts';

const ApplicationFilter = builder.inputType('ApplicationFilter', {
  description: 'What applications have in common: all that is given holds of each.',
  fields: (t) => ({
    type: t.field({ type: ApplicationTypeEnum, description: 'What kind of OAuth client it is.' }),
    createdAt: t.field({ type: DateTimeRange, description: 'When it was made.' }),
  }),
});

const ApplicationOrder = defineOrder(
  'ApplicationOrder',
  { field: 'createdAt', direction: 'asc' },
  { CREATED_AT: { value: 'createdAt', description: 'When it was made.' } },
);

builder.prismaObjectField('Environment', 'applications', (t) =>
  t.relatedConnection('applications', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:applications',
    description: 'Its applications, oldest first unless sorted otherwise.',
    args: {
      search: t.arg.string({ description: 'Part of a name or of a client id. Case does not matter.' }),
      filter: t.arg({ type: ApplicationFilter, description: 'Which of them.' }),
      orderBy: t.arg({ type: ApplicationOrder.input, description: 'In which order.' }),
    },
    query: ({ search, filter, orderBy }) => ({
      where: {
        ...amongFew(search, (holds) => [{ name: holds }, { id: holds }]),
        ...(filter?.type && { type: filter.type }),
        ...(filter?.createdAt && { createdAt: inRange(filter.createdAt) }),
      },
      orderBy: ApplicationOrder.by(orderBy),
    }),
  }),
);
