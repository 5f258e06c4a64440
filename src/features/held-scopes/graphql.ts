/** Scopes of APIs that roles bring and members of organizations hold, in the graph. */
import { environmentsWith } from '../../access/authorize.ts';
import { builder } from '../../graphql/builder.ts';
import { registerRow } from '../../graphql/node.ts';
import { changed, defineMutation, PLAN_CODES } from '../../graphql/payload.ts';
import { ApiScope } from '../apis/graphql.ts';
import { effectiveScopes, type HeldScope } from './effective-scopes.ts';
import { addMemberScope, addRoleScope, removeMemberScope, removeRoleScope } from './service.ts';

const RoleScope = builder.prismaObject('RoleScope', {
  description: 'That a role brings a scope of an API.',
  select: { environmentId: true, roleId: true, scopeId: true },
  permission: 'read:role_scopes',
  fields: (t) => ({
    environmentId: t.exposeID('environmentId', { nullable: true, description: 'The environment whose API it is a scope of.' }),
    scope: t.relation('scope', { nullable: true, permission: 'read:api_scopes', description: 'The scope.' }),
  }),
});
registerRow('RoleScope', ['environment', 'role', 'apiScope']);

builder.prismaObjectField('Role', 'scopes', (t) =>
  t.relatedConnection('scopes', {
    type: RoleScope,
    cursor: 'environmentId_roleId_scopeId',
    totalCount: true,
    nullable: true,
    permission: 'read:role_scopes',
    description:
      'The scopes of APIs that it brings, in the environments where the caller may read them; oldest scopes of each environment first.',
    args: { environmentId: t.arg.id({ description: 'Only in this environment. Absent: in all of them.' }) },
    query: ({ environmentId }, { services: { actor } }) => ({
      where: { environmentId: { in: environmentsWith(actor, 'read:role_scopes').filter((id) => !environmentId || id === environmentId) } },
      orderBy: [{ environmentId: 'asc' as const }, { scopeId: 'asc' as const }],
    }),
  }),
);

const EffectiveScope = builder.objectRef<HeldScope>('EffectiveScope').implement({
  description: 'A scope of an API that a member holds, and where it comes from.',
  permission: 'read:organization_user_permissions',
  fields: (t) => ({
    scope: t.field({
      type: ApiScope,
      nullable: true,
      permission: 'read:api_scopes',
      description: 'The scope.',
      resolve: ({ scope }) => scope as never,
    }),
    isDirect: t.exposeBoolean('isDirect', { nullable: true, description: 'Whether it is held directly.' }),
    roleKeys: t.exposeStringList('roleKeys', {
      nullable: true,
      permission: 'read:organization_user_roles',
      description: 'The keys of the roles that bring it, sorted.',
    }),
  }),
});

builder.prismaObjectFields('Membership', (t) => ({
  scopes: t.field({
    type: [ApiScope],
    nullable: true,
    permission: 'read:organization_user_permissions',
    description: 'Scopes of APIs held directly, on top of those of the roles, by name.',
    select: (_args, _ctx, nested) =>
      ({ scopes: { select: { scope: nested(true) }, orderBy: [{ scope: { name: 'asc' } }, { scopeId: 'asc' }] } }) as never,
    resolve: (row) => (row as unknown as { scopes: { scope: never }[] }).scopes.map(({ scope }) => scope),
  }),
  effectiveScopes: t.field({
    type: [EffectiveScope],
    nullable: true,
    permission: 'read:organization_user_permissions',
    description: 'Every scope of an API that the member holds, through roles and directly, by name.',
    select: (_args, _ctx, nested) => {
      const scope = { select: { scope: nested({ select: { environmentId: true, id: true, name: true } } as never, ['scope']) } };
      return {
        environmentId: true,
        roles: { select: { role: { select: { key: true, scopes: scope } } }, orderBy: { role: { key: 'asc' } } },
        scopes: scope,
      } as never;
    },
    resolve: (row) => effectiveScopes(row as never),
  }),
}));

const CODES = { MANAGEMENT_SCOPE: 'The scopes of the management API are for applications: people have team roles there.' };

defineMutation({
  name: 'addRoleScope',
  description: 'Lets a role bring one more scope of an API, in the environment of that API. One that it brings it goes on bringing.',
  policy: { permission: addRoleScope.permission },
  previews: true,
  versioned: true,
  codes: { ...CODES, ...PLAN_CODES, TOO_MANY: 'The role brings 100 scopes in that environment already.' },
  input: (t) => ({
    roleId: t.id({ required: true, description: 'The role.' }),
    scopeId: t.id({ required: true, description: 'The scope: of an API of the business’s own.' }),
  }),
  run: (ctx, input) => addRoleScope(ctx, input),
  payload: (t) => ({ role: changed(t, 'Role', 'The role.') }),
});

defineMutation({
  name: 'removeRoleScope',
  description: 'Lets a role bring one scope of an API less. One that it does not bring it does not bring afterwards either.',
  policy: { permission: removeRoleScope.permission },
  previews: true,
  versioned: true,
  codes: CODES,
  input: (t) => ({
    roleId: t.id({ required: true, description: 'The role.' }),
    scopeId: t.id({ required: true, description: 'The scope.' }),
  }),
  run: (ctx, input) => removeRoleScope(ctx, input),
  payload: (t) => ({ role: changed(t, 'Role', 'The role.') }),
});

defineMutation({
  name: 'addMemberScope',
  description: 'Gives a member a scope of an API directly, besides those of its roles. One that it holds it keeps.',
  policy: { permission: addMemberScope.permission },
  previews: true,
  codes: { ...CODES, ...PLAN_CODES, TOO_MANY: 'The member has 100 already.' },
  input: (t) => ({
    organizationMemberId: t.id({ required: true, description: 'The member.' }),
    scopeId: t.id({ required: true, description: 'The scope: of an API of the business’s own, in the member’s environment.' }),
  }),
  run: (ctx, input) => addMemberScope(ctx, input),
  payload: (t) => ({ member: changed(t, 'Membership', 'The member.') }),
});

defineMutation({
  name: 'removeMemberScope',
  description: 'Takes a scope of an API that a member holds directly. What a role brings stays.',
  policy: { permission: removeMemberScope.permission },
  previews: true,
  codes: CODES,
  input: (t) => ({
    organizationMemberId: t.id({ required: true, description: 'The member.' }),
    scopeId: t.id({ required: true, description: 'The scope.' }),
  }),
  run: (ctx, input) => removeMemberScope(ctx, input),
  payload: (t) => ({ member: changed(t, 'Membership', 'The member.') }),
});
