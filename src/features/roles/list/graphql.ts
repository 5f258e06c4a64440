/** The lists of a business's roles and permissions. */
import { builder } from '../../../graphql/builder.ts';
import { defineOrder } from '../../../graphql/lists.ts';
import { amongFew } from '../../search.ts';

const SEARCH = 'Part of a key or a name. Case does not matter.';
const FIELDS = {
  CREATED_AT: { value: 'createdAt', description: 'When it was made.' },
  KEY: { value: 'key', description: 'Its key.' },
} as const;

const RoleOrder = defineOrder('RoleOrder', { field: 'createdAt', direction: 'asc' }, FIELDS);
const PermissionOrder = defineOrder('PermissionOrder', { field: 'createdAt', direction: 'asc' }, FIELDS);

builder.prismaObjectField('Business', 'roles', (t) =>
  t.relatedConnection('roles', {
    cursor: 'businessId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:roles',
    description: 'The roles its environments share, oldest first unless sorted otherwise.',
    args: {
      search: t.arg.string({ description: SEARCH }),
      orderBy: t.arg({ type: RoleOrder.input, description: 'In which order.' }),
    },
    query: ({ search, orderBy }) => ({
      where: amongFew(search, (holds) => [{ key: holds }, { name: holds }]),
      orderBy: RoleOrder.by(orderBy),
    }),
  }),
);

builder.prismaObjectField('Business', 'permissions', (t) =>
  t.relatedConnection('permissions', {
    cursor: 'businessId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:permissions',
    description: 'The permissions its environments share, oldest first unless sorted otherwise.',
    args: {
      search: t.arg.string({ description: SEARCH }),
      orderBy: t.arg({ type: PermissionOrder.input, description: 'In which order.' }),
    },
    query: ({ search, orderBy }) => ({
      where: amongFew(search, (holds) => [{ key: holds }, { name: holds }]),
      orderBy: PermissionOrder.by(orderBy),
    }),
  }),
);
