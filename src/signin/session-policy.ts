/** How long the session of a sign-in lasts: as the organization says that it is for, else as the application does. */
import type { Context } from '../features/context.ts';
import { organizationOverrides } from '../features/organization-policies/service.ts';
import type { Place } from './place.ts';

export interface SessionPolicy {
  /** Whether it outlives the browser. */
  readonly isPersistent: boolean;
  /** Seconds without activity after which it is over. */
  readonly inactivityTimeout: number;
}

export async function sessionPolicy(ctx: Context, { tenancy, client }: Place, organizationId: string | null): Promise<SessionPolicy> {
  const own = await organizationOverrides(ctx, tenancy.environmentId, organizationId);
  return {
    isPersistent: own?.isSessionPersistent ?? client.isSessionPersistent,
    inactivityTimeout: own?.sessionInactivityTimeout ?? client.sessionInactivityTimeout,
  };
}
