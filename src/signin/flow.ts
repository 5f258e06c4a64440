/**
 * What comes next on a person's way through the pages. Flow (sign in, sign up) and method (code, password) are two
 * axes: this file knows the order of the steps, `strategies/` how each method proves a person.
 */
import type { Client } from '../features/applications/service.ts';
import { actingAs, type Context, inTransaction } from '../features/context.ts';
import { passwordState } from '../features/credentials/service.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { issueCode } from '../features/grants/service.ts';
import { joinOpenOrganization, membershipIn, organizationsOfUser } from '../features/organizations/service.ts';
import { findSession, startSession } from '../features/sessions/service.ts';
import {
  type Attempt,
  type AuthorizationRequest,
  completeAttempt,
  startAttempt,
  updateAttempt,
} from '../features/sign-in-attempts/service.ts';
import { acceptInvitations } from '../features/team/service.ts';
import { findUserIdByEmail, isSuspended, recordSignIn } from '../features/users/service.ts';
import { type Authorization, answer } from '../oidc/authorization.ts';
import { PageError, RedirectError } from '../oidc/errors.ts';

/** One application's sign-in at one environment. */
export interface Place {
  readonly tenancy: Tenancy;
  readonly client: Client;
}

/** Where the browser goes next; `sessionToken` is a new session's, for its cookie. */
export interface Outcome {
  readonly location: string;
  readonly sessionToken?: string;
}

/** Starts from a checked authorization request: straight back for who is signed in, else to the pages.
 * @throws RedirectError for prompt=none, which never shows a page: without a usable session, or when it opens nothing */
export async function begin(
  ctx: Context,
  place: Place,
  authorization: Authorization,
  cookies: { session: string | undefined; browser: string },
): Promise<Outcome> {
  const { tenancy, client } = place;
  const { request, prompt, maxAge } = authorization;
  const session = await findSession(ctx, tenancy.environmentId, cookies.session, client.sessionInactivityTimeout);
  const isFresh = session && (maxAge === undefined || ctx.clock.now().getTime() - session.authTime.getTime() <= maxAge * 1000);
  if (session && isFresh && prompt !== 'login' && prompt !== 'create') {
    const organization = await chooseOrganization(ctx, tenancy, session.userId, request).catch((error: unknown) => {
      throw prompt === 'none' && error instanceof PageError ? new RedirectError('access_denied', error.title) : error;
    });
    if (organization !== 'ask') return { location: await codeFor(ctx, place, request, session, organization) };
    if (prompt !== 'none') {
      const attempt = await startAttempt(ctx, {
        environmentId: tenancy.environmentId,
        applicationId: client.applicationId,
        browserToken: cookies.browser,
        request,
        flow: 'login',
        step: 'organization',
        userId: session.userId,
      });
      return { location: pageOf(tenancy, attempt) };
    }
  }
  if (prompt === 'none') throw new RedirectError('login_required', 'User authentication is required');
  const attempt = await startAttempt(ctx, {
    environmentId: tenancy.environmentId,
    applicationId: client.applicationId,
    browserToken: cookies.browser,
    request,
    flow: prompt === 'create' ? 'register' : 'login',
  });
  return { location: pageOf(tenancy, attempt) };
}

/** The URL of the attempt's page. */
export function pageOf(tenancy: Tenancy, attempt: Pick<Attempt, 'id'>): string {
  return `${tenancy.issuer}/signin/${attempt.id}`;
}

/** Goes on once the person is known: a password may be missing, an organization may have to be chosen. */
export async function identified(ctx: Context, place: Place, attempt: Attempt, userId: string): Promise<Outcome> {
  const isPasswordDue =
    attempt.isReset || (place.client.emailSignIn === 'password' && (await passwordState(ctx, attempt.environmentId, userId)) !== 'set');
  return isPasswordDue ? newPassword(ctx, place, attempt, userId) : authenticated(ctx, place, attempt, userId);
}

/** Leads to the page on which a password is chosen. */
export async function newPassword(ctx: Context, { tenancy }: Place, attempt: Attempt, userId: string): Promise<Outcome> {
  await updateAttempt(ctx, attempt, { step: 'new_password', userId });
  return { location: pageOf(tenancy, attempt) };
}

/** Is the person still who the attempt took it for, and welcome? An operator may have changed that since the last step.
 * @throws PageError */
export async function assertWelcome(ctx: Context, { environmentId, email }: Attempt, userId: string): Promise<void> {
  if (await isSuspended(ctx, environmentId, userId)) throw suspended();
  if (email && (await findUserIdByEmail(ctx, environmentId, email)) !== userId) throw expired();
}

/** Goes on once nothing more has to be proved. */
export async function authenticated(ctx: Context, place: Place, attempt: Attempt, userId: string): Promise<Outcome> {
  const { tenancy } = place;
  const { email } = attempt;
  await assertWelcome(ctx, attempt, userId);
  if (tenancy.kind === 'account' && email) await inTransaction(ctx, (tx) => acceptInvitations(tx, tenancy.environmentId, userId, email));
  const organization = await chooseOrganization(ctx, tenancy, userId, attempt.request);
  if (organization === 'ask') {
    return inTransaction(ctx, async (tx) => {
      const { token } = await signIn(tx, tenancy, userId);
      await updateAttempt(tx, attempt, { step: 'organization', userId });
      return { location: pageOf(tenancy, attempt), sessionToken: token };
    });
  }
  return inTransaction(ctx, async (tx) => {
    if (!(await completeAttempt(tx, attempt))) throw alreadyCompleted();
    const { session, token } = await signIn(tx, tenancy, userId);
    return { location: await codeFor(tx, place, attempt.request, session, organization), sessionToken: token };
  });
}

/** Starts the session of a person who is known, and counts the sign-in.
 * @throws PageError for who was suspended or deleted a moment ago */
async function signIn(ctx: Context, tenancy: Tenancy, userId: string): ReturnType<typeof startSession> {
  if (!(await recordSignIn(ctx, tenancy, userId))) throw suspended();
  return startSession(ctx, tenancy.environmentId, userId);
}

/** The last step of who had to choose an organization: the session was started before. */
export async function organizationChosen(
  ctx: Context,
  place: Place,
  attempt: Attempt,
  organizationId: string,
  sessionToken: string | undefined,
): Promise<Outcome> {
  const session = await findSession(ctx, attempt.environmentId, sessionToken, place.client.sessionInactivityTimeout);
  if (!session || session.userId !== attempt.userId) throw expired();
  const membership = await membershipIn(ctx, attempt.environmentId, session.userId, organizationId);
  if (membership !== 'member') throw expired();
  return inTransaction(ctx, async (tx) => {
    if (!(await completeAttempt(tx, attempt))) throw alreadyCompleted();
    return { location: await codeFor(tx, place, attempt.request, session, organizationId) };
  });
}

export function expired(): PageError {
  return new PageError(400, 'This sign-in has expired', 'Go back to the application and start again.', 4321);
}

function suspended(): PageError {
  return new PageError(403, 'This account is suspended', 'Ask the people who run this application.');
}

function alreadyCompleted(): PageError {
  return new PageError(400, 'This sign-in was completed already', 'Go back to the application; if it asks, start again.', 4321);
}

async function codeFor(
  ctx: Context,
  { tenancy, client }: Place,
  request: AuthorizationRequest,
  session: { id: string; userId: string; authTime: Date },
  organizationId: string | null,
): Promise<string> {
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
      requestedAt: new Date(request.requestedAt * 1000),
      redirectUri: request.redirectUri,
      codeChallenge: request.codeChallenge,
      nonce: request.nonce,
    }),
  );
  return answer(request, tenancy.issuer, { code, scope: request.scopes.join(' ') });
}

/** The organization that the tokens will be for; null for none, 'ask' when the person has to choose.
 * @throws PageError when the one asked for is closed to the person */
async function chooseOrganization(
  ctx: Context,
  tenancy: Tenancy,
  userId: string,
  request: AuthorizationRequest,
): Promise<string | null | 'ask'> {
  if (request.organizationId) {
    const state = await membershipIn(ctx, tenancy.environmentId, userId, request.organizationId);
    if (state === 'suspended')
      throw new PageError(
        403,
        'This organization is suspended',
        'Nobody can sign in to it at the moment. Ask its administrator. (organization_suspended)',
      );
    if (state === 'member') return request.organizationId;
    const joined = await inTransaction(actingAs(ctx, { kind: 'user', environmentId: tenancy.environmentId, userId }), (tx) =>
      joinOpenOrganization(tx, tenancy, userId, request.organizationId ?? undefined),
    );
    if (!joined) throw new PageError(403, 'You are not a member of this organization', 'Ask its administrator for an invitation.');
    return joined;
  }
  const [first, second] = await organizationsOfUser(ctx, tenancy.environmentId, userId);
  if (second) return 'ask';
  return first?.id ?? null;
}
