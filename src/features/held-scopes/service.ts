/**
 * Scopes of APIs that people hold: each is of an API of one environment. A role, which all environments of a business
 * share, brings others in each of them; a member of an organization may hold some directly besides.
 */
import type { Membership, Role } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { findCustomScope, givenScope } from '../apis/service.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, type Context, type Infrastructure, NEXT_VERSION, type Scope } from '../context.ts';
import { assertRoom, changeMember, type MemberInput, memberScope } from '../members/service.ts';
import { MAX_IDS } from '../permissions/service.ts';
import { assertPlanHas } from '../plans.ts';
import { findRoles } from '../roles/service.ts';

export interface RoleScopeInput {
  readonly roleId: string;
  readonly scopeId: string;
  readonly expectedVersion?: number | null | undefined;
}

/** Lets a role bring a scope in the environment that the scope is of; one that it brings it goes on bringing.
 * @throws InvalidInputError MANAGEMENT_SCOPE, PLAN_LIMIT, TOO_MANY or CONFLICT
 * @throws NotFoundError when the role or the scope is not there */
export const addRoleScope = action({
  permission: 'create:role_scopes',
  scope: givenScope,
  async run(ctx, input: RoleScopeInput, scope): Promise<Role> {
    const { environmentId, businessId } = scope;
    const { roleId, scopeId } = input;
    return changeRole(ctx, scope, input, 'added', async () => {
      await assertPlanHas(ctx, businessId, 'customScopes', ['scopeId']);
      await ctx.db.roleScope.createMany({ data: [{ environmentId, scopeId, businessId, roleId }], skipDuplicates: true });
      if ((await ctx.db.roleScope.count({ where: { environmentId, businessId, roleId } })) > MAX_IDS)
        throw new InvalidInputError('TOO_MANY', `A role has at most ${MAX_IDS} scopes in an environment.`, ['scopeId']);
    });
  },
});

/** Lets a role bring a scope no more; one that it did not bring it does not bring now.
 * @throws InvalidInputError MANAGEMENT_SCOPE or CONFLICT
 * @throws NotFoundError when the role or the scope is not there */
export const removeRoleScope = action({
  permission: 'delete:role_scopes',
  scope: givenScope,
  async run(ctx, input: RoleScopeInput, scope): Promise<Role> {
    const { environmentId } = scope;
    const { roleId, scopeId } = input;
    return changeRole(ctx, scope, input, 'removed', async () => {
      await ctx.db.roleScope.deleteMany({ where: { environmentId, roleId, scopeId } });
    });
  },
});

export interface MemberScopeInput extends MemberInput {
  readonly scopeId: string;
}

/** Gives a member a scope directly, besides those of its roles.
 * @throws InvalidInputError MANAGEMENT_SCOPE, PLAN_LIMIT or TOO_MANY
 * @throws NotFoundError when the scope is not in the member's environment */
export const addMemberScope = action({
  permission: 'create:organization_user_api_scopes',
  scope: (ctx, input: MemberScopeInput, permission) => memberScope(ctx, permission, input.organizationMemberId),
  async run(ctx, input, scope): Promise<Membership> {
    const { environmentId, businessId } = scope;
    const { scopeId } = input;
    await findCustomScope(ctx, environmentId, scopeId);
    await assertPlanHas(ctx, businessId, 'customScopes', ['scopeId']);
    return changeMember(ctx, scope, input, 'scope_added', { scopeId }, async (membershipId) => {
      await ctx.db.membershipScope.createMany({ data: [{ environmentId, membershipId, scopeId }], skipDuplicates: true });
      assertRoom(await ctx.db.membershipScope.count({ where: { environmentId, membershipId } }), 'scopeId');
    });
  },
});

/** Takes a scope that a member holds directly; what a role brings stays.
 * @throws InvalidInputError MANAGEMENT_SCOPE
 * @throws NotFoundError when the scope is not in the member's environment */
export const removeMemberScope = action({
  permission: 'delete:organization_user_api_scopes',
  scope: (ctx, input: MemberScopeInput, permission) => memberScope(ctx, permission, input.organizationMemberId),
  async run(ctx, input, scope): Promise<Membership> {
    const { environmentId } = scope;
    const { scopeId } = input;
    await findCustomScope(ctx, environmentId, scopeId);
    return changeMember(ctx, scope, input, 'scope_removed', { scopeId }, async (membershipId) => {
      await ctx.db.membershipScope.deleteMany({ where: { environmentId, membershipId, scopeId } });
    });
  },
});

async function changeRole(
  ctx: Context,
  scope: Scope,
  input: RoleScopeInput,
  done: 'added' | 'removed',
  change: () => Promise<void>,
): Promise<Role> {
  const { businessId, environmentId } = scope;
  const { roleId, scopeId } = input;
  await findRoles(ctx, businessId, [roleId], 'roleId');
  const { name } = await findCustomScope(ctx, environmentId, scopeId);
  const role = await ctx.db.role.update({
    where: { businessId_id: { businessId, id: roleId }, ...atVersion(input) },
    data: NEXT_VERSION,
  });
  await change();
  await audit(ctx, { ...scope, action: `role.scope_${done}`, target: { type: 'role', id: roleId }, details: { scopeId, name } });
  return role;
}

const HELD = `SELECT s.name FROM api_scopes s JOIN apis a ON a.environment_id = s.environment_id AND a.id = s.api_id
  JOIN memberships m ON m.environment_id = s.environment_id AND m.user_id = $2 AND m.organization_id = $3
  WHERE s.environment_id = $1 AND a.audience = ANY($4::text[]) AND s.name = ANY($5::text[]) AND (
    EXISTS (SELECT 1 FROM membership_scopes ms WHERE ms.environment_id = m.environment_id AND ms.membership_id = m.id AND ms.scope_id = s.id)
    OR EXISTS (SELECT 1 FROM membership_roles mr JOIN role_scopes rs ON rs.business_id = mr.business_id AND rs.role_id = mr.role_id
      WHERE mr.environment_id = m.environment_id AND mr.membership_id = m.id AND rs.environment_id = s.environment_id AND rs.scope_id = s.id))`;

/** Those of `scopes`, of the APIs with these audiences, that a person holds in an organization; in their order. */
export async function heldApiScopes(
  { database }: Infrastructure,
  environmentId: string,
  of: { readonly userId: string; readonly organizationId: string | null; readonly audiences: readonly string[] },
  scopes: readonly string[],
): Promise<string[]> {
  if (of.organizationId === null || scopes.length === 0) return [];
  const values = [environmentId, of.userId, of.organizationId, of.audiences, scopes];
  const rows = await database.query<{ name: string }>('held-api-scopes', HELD, values);
  const held = new Set(rows.map(({ name }) => name));
  return scopes.filter((scope) => held.has(scope));
}
