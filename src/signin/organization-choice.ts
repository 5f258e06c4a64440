/** Which organization a sign-in is for. */
import { actingAs, type Context, inTransaction } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { lastOrganizationOf } from '../features/grants/service.ts';
import { joinOpenOrganization, membershipIn, organizationsOfUser } from '../features/organizations/service.ts';
import type { Session } from '../features/sessions/service.ts';
import { PageError } from '../oidc/errors.ts';

/** The organization that the tokens will be for; null for none, 'ask' when the person has to choose.
 * @throws PageError when the one asked for is closed to the person */
export async function chooseOrganization(
  ctx: Context,
  tenancy: Tenancy,
  userId: string,
  wanted: string | null,
): Promise<string | null | 'ask'> {
  if (wanted) {
    const state = await membershipIn(ctx, tenancy.environmentId, userId, wanted);
    if (state === 'suspended') throw new PageError(403, 'organization_suspended');
    if (state === 'member') return wanted;
    const joined = await inTransaction(actingAs(ctx, { kind: 'user', environmentId: tenancy.environmentId, userId }), (tx) =>
      joinOpenOrganization(tx, tenancy, userId, wanted),
    );
    if (!joined) throw new PageError(403, 'not_a_member');
    return joined;
  }
  const organizations = await organizationsOfUser(ctx, tenancy.environmentId, userId);
  if (organizations.length < 2) return organizations[0]?.id ?? null;
  const { useMostRecentOrganization } = tenancy.policy;
  const last = useMostRecentOrganization ? await lastOrganizationOf(ctx, tenancy.environmentId, { userId }) : undefined;
  return organizations.some(({ id }) => id === last) ? last! : 'ask';
}

/** As {@link chooseOrganization} where no page may be shown and none is asked for: the one that the session was used for last goes before all. */
export async function chooseSilently(ctx: Context, tenancy: Tenancy, session: Session): Promise<string | null | 'ask'> {
  const { environmentId } = tenancy;
  const { id: sessionId, userId } = session;
  const last = await lastOrganizationOf(ctx, environmentId, { userId, sessionId });
  if (last && (await membershipIn(ctx, environmentId, userId, last)) === 'member') return last;
  return chooseOrganization(ctx, tenancy, userId, null);
}
