/** What a person may do at an API of the business's own is in the token for that API, and in no other. */
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { addMemberScope, addRoleScope, removeMemberScope } from '../../src/features/held-scopes/service.ts';
import { createRole } from '../../src/features/roles/service.ts';
import { operator } from '../graphql/world.ts';
import { startApp } from '../helpers/app.ts';
import { exchange, organization, productionEnvironment, refresh, signUp, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();
const API = 'https://api.acme.test';

test('scopes that roles and the membership hold, for the API that was asked for and the organization of the token', async () => {
  const ctx = operator(gatehouse);
  const { id: environmentId, businessId } = await productionEnvironment(gatehouse);
  await ctx.db.business.update({ where: { id: businessId }, data: { plan: 'enterprise' } });
  const scopes = await ctx.db.apiScope.findMany({ where: { environmentId, api: { audience: API } }, orderBy: { name: 'asc' } });
  expect(scopes.map(({ name }) => name)).toEqual(['read:invoices', 'write:invoices']);
  const role = await createRole(ctx, { businessId, key: 'clerk', name: 'Clerk' });
  await addRoleScope(ctx, { roleId: role.id, scopeId: scopes[0]!.id });

  const person = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, person.email);
  const organizationId = await organization(gatehouse, 'Invoicing', { members: [userId] });
  const member = await ctx.db.membership.findFirstOrThrow({ where: { environmentId, organizationId, userId } });
  await ctx.db.membershipRole.create({ data: { environmentId, membershipId: member.id, businessId, roleId: role.id } });
  await addMemberScope(ctx, { organizationMemberId: member.id, scopeId: scopes[1]!.id });

  const tokens = (await exchange(gatehouse, await person.authorize('spa', { org_code: organizationId, audience: API }))).body;
  expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: [API], scope: 'read:invoices write:invoices' });
  const without = (await exchange(gatehouse, await person.authorize('spa', { org_code: organizationId }))).body;
  expect(decodeJwt(without.access_token)['scope']).toBeUndefined();
  const elsewhere = (decodeJwt(tokens.id_token)['org_codes'] as string[]).find((code) => code !== organizationId);
  const other = (await exchange(gatehouse, await person.authorize('spa', { org_code: elsewhere!, audience: API }))).body;
  expect(decodeJwt(other.access_token)).toMatchObject({ aud: [API], org_code: elsewhere });
  expect(decodeJwt(other.access_token)['scope']).toBeUndefined();

  await removeMemberScope(ctx, { organizationMemberId: member.id, scopeId: scopes[1]!.id });
  const fresh = (await refresh(gatehouse, tokens.refresh_token)).body;
  expect(decodeJwt(fresh.access_token)['scope']).toBe('read:invoices');
});
