/**
 * What comes next on a person's way through the pages. Flow (sign in, sign up) and method (code, password) are two
 * axes: this file knows the order of the steps, `strategies/` how each method proves a person.
 */

import type { Session } from '../db/generated/client/client.ts';
import type { Client } from '../features/applications/service.ts';
import { isConsentDue, rememberConsent } from '../features/consents/service.ts';
import { actingAs, type Context, inTransaction } from '../features/context.ts';
import { passwordState } from '../features/credentials/service.ts';
import { allowDevice, deviceToConfirm, refuseDevice } from '../features/device-authorizations/service.ts';
import { signInPolicy } from '../features/environment-policies/service.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { issueCode, lastOrganizationOf } from '../features/grants/service.ts';
import { acceptInvitation, isForUser } from '../features/organization-invitations/acceptance.ts';
import { joinOpenOrganization, membershipIn, organizationsOfUser } from '../features/organizations/service.ts';
import { findSession, startSession } from '../features/sessions/service.ts';
import {
  type Attempt,
  type AuthorizationRequest,
  completeAttempt,
  type Flow,
  type Step,
  startAttempt,
  updateAttempt,
} from '../features/sign-in-attempts/service.ts';
import { acceptInvitations } from '../features/team/service.ts';
import { findUserIdByEmail, isSuspended, recordSignIn } from '../features/users/service.ts';
import { answer, type Destination } from '../oidc/answer.ts';
import type { Authorization } from '../oidc/authorization.ts';
import { deviceCodeGone, invitationGone, PageError, RedirectError } from '../oidc/errors.ts';

/** One application's sign-in at one environment. */
export interface Place {
  readonly tenancy: Tenancy;
  readonly client: Client;
}

/** Where the browser goes next: to a page of ours, or away with the answer. `sessionToken` is a new session's, for its cookie. */
export type Outcome = ({ readonly location: string } | { readonly answer: Destination }) & { readonly sessionToken?: string };

/** Starts from a checked authorization request: straight back for who is signed in, else to the pages.
 * @throws RedirectError for what the application is told, as by prompt=none, which never shows a page */
export async function begin(
  ctx: Context,
  place: Place,
  authorization: Authorization,
  cookies: { session: string | undefined; browser: string },
): Promise<Outcome> {
  const { tenancy, client } = place;
  const { environmentId } = tenancy;
  const { request, prompt, invitation } = authorization;
  if (authorization.refusal) throw authorization.refusal;
  const open = async (pages: {
    flow: Flow;
    step?: Step;
    userId?: string;
    organizationId?: string | null;
    firstName?: string | null;
    lastName?: string | null;
  }) => {
    const { applicationId } = client;
    const attempt = await startAttempt(ctx, { environmentId, applicationId, browserToken: cookies.browser, request, ...pages });
    return { location: pageOf(tenancy, attempt) };
  };

  const session = await usableSession(ctx, place, authorization, cookies.session);
  if (session && invitation && (await isForUser(ctx, environmentId, invitation.email, session.userId)))
    return open({ flow: 'login', step: 'invitation', userId: session.userId });
  if (session && !invitation) {
    const organization = await chooseOrganization(ctx, tenancy, session.userId, request.organizationId).catch((error: unknown) => {
      throw prompt === 'none' && error instanceof PageError ? new RedirectError('access_denied', error.title) : error;
    });
    const step = organization === 'ask' ? 'organization' : await lastStep(ctx, place, request, session.userId);
    if (organization !== 'ask' && step) {
      if (prompt === 'none') throw new RedirectError('consent_required', 'The user has to be asked first.');
      return open({ flow: 'login', step, userId: session.userId, organizationId: organization });
    }
    if (organization !== 'ask') return { answer: await codeFor(ctx, place, request, session, organization) };
    if (prompt !== 'none') return open({ flow: 'login', step: 'organization', userId: session.userId });
  }
  if (prompt === 'none') throw new RedirectError('login_required', 'User authentication is required');
  if (!invitation) return open({ flow: prompt === 'create' ? 'register' : 'login' });
  const isKnown = await findUserIdByEmail(ctx, environmentId, invitation.email);
  return open({ flow: isKnown ? 'login' : 'register', firstName: invitation.firstName, lastName: invitation.lastName });
}

/** The browser's session, where the request is content with it. */
async function usableSession(
  ctx: Context,
  { tenancy, client }: Place,
  { prompt, maxAge, hintedUserId }: Authorization,
  token: string | undefined,
): Promise<Session | undefined> {
  if (prompt === 'login' || prompt === 'create') return undefined;
  const session = await findSession(ctx, tenancy.environmentId, token, client.sessionInactivityTimeout);
  if (!session || (hintedUserId !== undefined && hintedUserId !== session.userId)) return undefined;
  const isFresh = maxAge === undefined || ctx.clock.now().getTime() - session.authTime.getTime() <= maxAge * 1000;
  return isFresh ? session : undefined;
}

/** Where a link to an attempt leads that is over: to the application, which starts over; undefined when it has named no place to. */
export function startOver(ctx: Context, { tenancy, client }: Place, { request }: Attempt): Destination | undefined {
  if (request.reauthState) {
    const parameters = { error: 'login_link_expired', reauth_state: ctx.vault.open('reauth state', request.reauthState) };
    return answer(request, tenancy.issuer, parameters);
  }
  return client.loginUri ? { by: 'redirect', location: client.loginUri } : undefined;
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
  return inTransaction(ctx, async (tx) => {
    await takeInvitation(tx, tenancy, attempt, userId);
    const organization = await chooseOrganization(tx, tenancy, userId, attempt.organizationId ?? attempt.request.organizationId);
    const step = organization === 'ask' ? 'organization' : await lastStep(tx, place, attempt.request, userId);
    if (organization === 'ask' || step) {
      const { token } = await signIn(tx, tenancy, userId);
      await updateAttempt(tx, attempt, { step, userId, ...(organization !== 'ask' && { organizationId: organization }) });
      return { location: pageOf(tenancy, attempt), sessionToken: token };
    }
    if (!(await completeAttempt(tx, attempt))) throw alreadyCompleted();
    const { session, token } = await signIn(tx, tenancy, userId);
    return { answer: await codeFor(tx, place, attempt.request, session, organization), sessionToken: token };
  });
}

/** Makes the person a member of the organization that the attempt's invitation is to.
 * @throws PageError when it cannot be taken up any more */
async function takeInvitation(ctx: Context, tenancy: Tenancy, { request }: Attempt, userId: string): Promise<void> {
  if (request.invitationId && !(await acceptInvitation(ctx, tenancy, request.invitationId, userId))) throw invitationGone();
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
  const session = await sessionOf(ctx, place, attempt, sessionToken);
  const membership = await membershipIn(ctx, attempt.environmentId, session.userId, organizationId);
  if (membership !== 'member') throw expired();
  const step = await lastStep(ctx, place, attempt.request, session.userId);
  if (step) {
    await updateAttempt(ctx, attempt, { step, organizationId });
    return { location: pageOf(place.tenancy, attempt) };
  }
  return inTransaction(ctx, async (tx) => {
    if (!(await completeAttempt(tx, attempt))) throw alreadyCompleted();
    return { answer: await codeFor(tx, place, attempt.request, session, organizationId) };
  });
}

/** The only step of who was signed in already and came by an invitation: nobody joins by following a link alone. */
export async function invitationConfirmed(
  ctx: Context,
  place: Place,
  attempt: Attempt,
  sessionToken: string | undefined,
): Promise<Outcome> {
  const session = await sessionOf(ctx, place, attempt, sessionToken);
  return inTransaction(ctx, async (tx) => {
    const step = await lastStep(tx, place, attempt.request, session.userId);
    if (!step && !(await completeAttempt(tx, attempt))) throw alreadyCompleted();
    await takeInvitation(tx, place.tenancy, attempt, session.userId);
    const organization = await chooseOrganization(tx, place.tenancy, session.userId, attempt.request.organizationId);
    if (organization === 'ask') throw expired();
    if (step) {
      await updateAttempt(tx, attempt, { step, organizationId: organization });
      return { location: pageOf(place.tenancy, attempt) };
    }
    return { answer: await codeFor(tx, place, attempt.request, session, organization) };
  });
}

/** What a person who is signed in still has to decide. */
async function lastStep(
  ctx: Context,
  { tenancy, client }: Place,
  request: AuthorizationRequest,
  userId: string,
): Promise<'device' | 'consent' | undefined> {
  if (request.userCode) return 'device';
  return (await isConsentDue(ctx, tenancy.environmentId, userId, client, request)) ? 'consent' : undefined;
}

/** The last step of who came from an application that the business has not looked at: it gets what it asks for, or is told that it does not. */
export async function consentDecided(
  ctx: Context,
  place: Place,
  attempt: Attempt,
  isAllowed: boolean,
  sessionToken: string | undefined,
): Promise<Outcome> {
  const { environmentId, organizationId, request } = attempt;
  const session = await sessionOf(ctx, place, attempt, sessionToken);
  if (organizationId && (await membershipIn(ctx, environmentId, session.userId, organizationId)) !== 'member') throw expired();
  return inTransaction(ctx, async (tx) => {
    if (!(await completeAttempt(tx, attempt))) throw alreadyCompleted();
    if (!isAllowed) {
      const parameters = { error: 'access_denied', error_description: 'The user has refused.' };
      return { answer: answer(request, place.tenancy.issuer, parameters) };
    }
    await rememberConsent(tx, environmentId, session.userId, place.client, request);
    return { answer: await codeFor(tx, place, request, session, organizationId) };
  });
}

/** The last step of who signed in for a device: it is allowed or refused, once. */
export async function deviceDecided(
  ctx: Context,
  place: Place,
  attempt: Attempt,
  isAllowed: boolean,
  sessionToken: string | undefined,
): Promise<Outcome> {
  const { environmentId, organizationId } = attempt;
  const session = await sessionOf(ctx, place, attempt, sessionToken);
  if (organizationId && (await membershipIn(ctx, environmentId, session.userId, organizationId)) !== 'member') throw expired();
  const device = await deviceToConfirm(ctx, attempt);
  if (!device) throw deviceCodeGone();
  return inTransaction(ctx, async (tx) => {
    if (!(await completeAttempt(tx, attempt))) throw alreadyCompleted();
    const decided = isAllowed
      ? await allowDevice(tx, environmentId, device, session, organizationId)
      : await refuseDevice(tx, environmentId, device.userCode);
    if (!decided) throw deviceCodeGone();
    return { location: `${place.tenancy.issuer}/device/${isAllowed ? 'connected' : 'refused'}` };
  });
}

/** @throws PageError when the attempt's person is not signed in any more, or is another one by now */
async function sessionOf(ctx: Context, { client }: Place, attempt: Attempt, token: string | undefined): Promise<Session> {
  const session = await findSession(ctx, attempt.environmentId, token, client.sessionInactivityTimeout);
  if (!session || session.userId !== attempt.userId) throw expired();
  return session;
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
      requestedAt: new Date(request.requestedAt * 1000),
      redirectUri: request.redirectUri,
      codeChallenge: request.codeChallenge,
      nonce: request.nonce,
      dpopJkt: request.dpopJkt ?? null,
    }),
  );
  return answer(request, tenancy.issuer, { code, scope: request.scopes.join(' ') });
}

/** The organization that the tokens will be for; null for none, 'ask' when the person has to choose.
 * @throws PageError when the one asked for is closed to the person */
async function chooseOrganization(ctx: Context, tenancy: Tenancy, userId: string, wanted: string | null): Promise<string | null | 'ask'> {
  if (wanted) {
    const state = await membershipIn(ctx, tenancy.environmentId, userId, wanted);
    if (state === 'suspended')
      throw new PageError(
        403,
        'This organization is suspended',
        'Nobody can sign in to it at the moment. Ask its administrator. (organization_suspended)',
      );
    if (state === 'member') return wanted;
    const joined = await inTransaction(actingAs(ctx, { kind: 'user', environmentId: tenancy.environmentId, userId }), (tx) =>
      joinOpenOrganization(tx, tenancy, userId, wanted),
    );
    if (!joined) throw new PageError(403, 'You are not a member of this organization', 'Ask its administrator for an invitation.');
    return joined;
  }
  const organizations = await organizationsOfUser(ctx, tenancy.environmentId, userId);
  if (organizations.length < 2) return organizations[0]?.id ?? null;
  const { useMostRecentOrganization } = await signInPolicy(ctx, tenancy.environmentId);
  const last = useMostRecentOrganization ? await lastOrganizationOf(ctx, tenancy.environmentId, userId) : undefined;
  return organizations.some(({ id }) => id === last) ? last! : 'ask';
}
