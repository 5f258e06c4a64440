/** A sign-in that no application has asked for: it ends on a page of ours. */
import type { Context } from '../features/context.ts';
import type { AuthorizationRequest } from '../features/sign-in-attempts/service.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Authorization } from '../oidc/authorization.ts';
import { begin, type Outcome } from './flow.ts';
import type { Place } from './place.ts';

/** @param wanted where it ends, and what else it is for */
export function ownRequest(
  { clock }: Pick<Context, 'clock'>,
  wanted: Pick<AuthorizationRequest, 'clientId' | 'redirectUri'> & Partial<AuthorizationRequest>,
): AuthorizationRequest {
  return {
    responseMode: 'query',
    scopes: [],
    audiences: [],
    state: null,
    nonce: null,
    codeChallenge: null,
    organizationId: null,
    newOrganization: null,
    invitationId: null,
    loginHint: null,
    lang: null,
    hasSuccessPage: false,
    reauthState: null,
    marketingTags: {},
    requestedAt: epochSeconds(clock.now()),
    ...wanted,
  };
}

/** Starts it, as {@link begin} does an application's. */
export function beginOwn(
  ctx: Context,
  place: Place,
  request: AuthorizationRequest,
  cookies: Parameters<typeof begin>[3],
  { maxAge, hintedUserId }: Partial<Pick<Authorization, 'maxAge' | 'hintedUserId'>> = {},
): Promise<Outcome> {
  const { client } = place;
  const authorization = { client, request, prompt: undefined, maxAge, hintedUserId, invitation: undefined, refusal: undefined };
  return begin(ctx, place, authorization, cookies);
}
