/** The end of a sign-in: the attempt is completed once, and the application or the device gets its answer. */
import { type Context, inTransaction } from '../features/context.ts';
import { allowDevice, type DeviceToConfirm } from '../features/device-authorizations/service.ts';
import { issueCode } from '../features/grants/service.ts';
import { addProofs, type Session, startSessionIn } from '../features/sessions/service.ts';
import { type Attempt, type AuthorizationRequest, completeAttempt } from '../features/sign-in-attempts/service.ts';
import { recordSignIn } from '../features/users/service.ts';
import { answer, type Destination } from '../oidc/answer.ts';
import { deviceCodeGone } from '../oidc/errors.ts';
import { portalUrl } from '../oidc/portal-link.ts';
import type { Outcome } from './flow.ts';
import { alreadyCompleted, expired, type Place, suspended } from './place.ts';
import { type SessionPolicy, sessionPolicy } from './session-policy.ts';
import type { Known } from './tail.ts';

/** What an attempt has come to. */
export interface End {
  readonly attempt: Attempt;
  readonly known: Known;
  /** What is allowed to the device that the person signed in for. */
  readonly device: DeviceToConfirm | undefined;
  /** The token of the session that the browser has now, whoever's it is. */
  readonly sessionToken: string | undefined;
}

/** Completes `attempt`, as it was read, with what it has come to. Called in a transaction.
 * @throws PageError for the slower of two that end the same attempt */
export async function complete(ctx: Context, place: Place, attempt: Attempt, end: End): Promise<Outcome> {
  const { tenancy } = place;
  const { request, organizationId } = end.attempt;
  if (!(await completeAttempt(ctx, attempt))) throw alreadyCompleted();
  const policy = await sessionPolicy(ctx, place, organizationId);
  const { session, token } = await sessionFor(ctx, place, end, policy);
  const signedIn = token ? { newSession: { token, isPersistent: policy.isPersistent } } : {};
  if (!request.userCode) return { answer: await answerFor(ctx, place, request, session, organizationId), ...signedIn };
  const isAllowed = end.device && (await allowDevice(ctx, tenancy.environmentId, end.device, session, organizationId));
  if (!isAllowed) throw deviceCodeGone();
  return { location: `${tenancy.issuer}/device/connected`, ...signedIn };
}

/** The session that says who the person is, with the methods that were added to it; for who was proved in the attempt, which
 * counts as a sign-in, the browser's own from now on. The token is what its cookie becomes.
 * @throws PageError for who was suspended or deleted, or signed out, a moment ago */
async function sessionFor(
  ctx: Context,
  { tenancy }: Place,
  { attempt, known, sessionToken }: End,
  { inactivityTimeout }: SessionPolicy,
): Promise<{ session: Session; token?: string }> {
  if (known.session) {
    const goesOn = await addProofs(ctx, known.session, attempt);
    if (!goesOn) throw expired();
    return goesOn;
  }
  const { userId } = known;
  if (!(await recordSignIn(ctx, tenancy, userId))) throw suspended();
  return startSessionIn(ctx, tenancy, { hash: attempt.browserHash, sessionToken, inactivityTimeout }, userId, known);
}

/** What ends a sign-in: a code for the application, or the person's own account pages; for another person than the
 * application has named by an ID token, that it is not answered for (OpenID Connect Core §3.1.2.2). */
export async function answerFor(
  ctx: Context,
  place: Place,
  request: AuthorizationRequest,
  session: Session,
  organizationId: string | null,
): Promise<Destination> {
  const { clientId, portal } = request;
  if (portal) return { by: 'redirect', location: portalUrl(place.tenancy, { clientId, organizationId, ...portal }) };
  if (request.hintedUserId !== undefined && request.hintedUserId !== session.userId) {
    const refusal = { error: 'login_required', error_description: 'Somebody else has signed in than the id_token_hint names.' };
    return answer(request, place.tenancy.issuer, refusal);
  }
  return codeFor(ctx, place, request, session, organizationId);
}

/** A code for the application, in the session. */
async function codeFor(
  ctx: Context,
  { tenancy, client }: Place,
  request: AuthorizationRequest,
  session: Pick<Session, 'id' | 'userId' | 'authTime' | 'amr'>,
  organizationId: string | null,
): Promise<Destination> {
  const code = await inTransaction(ctx, (tx) =>
    issueCode(tx, {
      environmentId: tenancy.environmentId,
      applicationId: client.applicationId,
      userId: session.userId,
      sessionId: session.id,
      organizationId,
      scopes: request.scopes,
      audiences: request.audiences,
      authTime: session.authTime,
      amr: session.amr,
      requestedAt: new Date(request.requestedAt * 1000),
      redirectUri: request.redirectUri,
      codeChallenge: request.codeChallenge,
      nonce: request.nonce,
      dpopJkt: request.dpopJkt ?? null,
    }),
  );
  return answer(request, tenancy.issuer, { code, scope: request.scopes.join(' ') });
}
