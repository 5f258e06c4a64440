/**
 * What comes next on a person's way through the pages. Flow (sign in, sign up) and method (code, password) are two
 * axes: this file knows where a way begins and how it goes on, `steps/` how each method proves a person, and `tail.ts`
 * what is left to do for who is known.
 */

import { loginUriFor } from '../features/applications/callback-urls.ts';
import type { Context } from '../features/context.ts';
import { inTransaction } from '../features/context.ts';
import { passwordState } from '../features/credentials/service.ts';
import { isForUser } from '../features/organization-invitations/acceptance.ts';
import { findSession, noteUse, type Session } from '../features/sessions/service.ts';
import { type Attempt, type AttemptChange, type Step, startAttempt, updateAttempt } from '../features/sign-in-attempts/service.ts';
import { acceptInvitations } from '../features/team/service.ts';
import { findWayIn } from '../features/users/service.ts';
import { answer, type Destination } from '../oidc/answer.ts';
import type { Authorization } from '../oidc/authorization.ts';
import { PageError, RedirectError } from '../oidc/errors.ts';
import { answerFor } from './completion.ts';
import { usesPassword } from './identifiers.ts';
import { arriveAtMfa } from './mfa.ts';
import { chooseOrganization, chooseSilently } from './organization-choice.ts';
import { type Place, pageOf } from './place.ts';
import type { StepRequest } from './steps/step.ts';
import { assertWelcome, firstDue, isIdleFor, proceed, SESSION } from './tail.ts';

/** Where the browser goes next: to a page of ours, or away with the answer; and a session for its cookie. */
export type Outcome = ({ readonly location: string } | { readonly answer: Destination }) & {
  readonly newSession?: { readonly token: string; readonly isPersistent: boolean };
};

/** Where the browser goes with it. */
export function destinationOf(outcome: Outcome): Destination {
  return 'answer' in outcome ? outcome.answer : { by: 'redirect', location: outcome.location };
}

/** How a person was proved, by the names of RFC 8176. */
export type AuthenticationMethod = 'otp' | 'pwd' | 'sms' | 'hwk' | 'swk' | 'user' | 'mfa';

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
  const open = async (
    pages: Pick<AttemptChange, 'step' | 'userId' | 'organizationId' | 'firstName' | 'lastName'> & Pick<Attempt, 'flow'>,
  ) => {
    const { applicationId } = client;
    const attempt = await startAttempt(ctx, { environmentId, applicationId, browserToken: cookies.browser, request, ...pages });
    await arriveAtMfa(ctx, place, attempt);
    return { location: pageOf(tenancy, attempt) };
  };

  const { session, organization: own } = (await usableSession(ctx, place, authorization, cookies.session)) ?? {};
  if (session && invitation && (await isForUser(ctx, environmentId, invitation.email, session.userId)))
    return open({ flow: 'login', step: 'invitation', userId: session.userId });
  if (session && !invitation) {
    const { userId } = session;
    const withoutPage = (error: unknown): never => {
      throw prompt === 'none' && error instanceof PageError ? new RedirectError('access_denied', error.message) : error;
    };
    const organization =
      own !== undefined ? own : await chooseOrganization(ctx, tenancy, userId, request.organizationId).catch(withoutPage);
    const organizationId = organization === 'ask' ? null : organization;
    const pending = { request, organizationId, answered: [SESSION], isSilent: prompt === 'none' };
    const step = organization === 'ask' ? 'organization' : await firstDue(ctx, place, pending, { ...session, session }).catch(withoutPage);
    const end = async (tx: Context) => ((await noteUse(tx, session)) ? answerFor(tx, place, request, session, organizationId) : undefined);
    // Where a code is written, the session is held until it is.
    const answer = step ? undefined : await (request.portal ? end(ctx) : inTransaction(ctx, end));
    if (answer) return { answer };
    const due = step ?? 'identify';
    if (prompt === 'none') throw refusalFor(due);
    return open({ flow: 'login', step: due, userId: due === 'identify' ? null : userId, organizationId });
  }
  if (prompt === 'none') throw refusalFor('identify');
  if (!invitation) return open({ flow: prompt === 'create' ? 'register' : 'login' });
  // Who made the link may open it as well: with enumeration protection it tells nobody whether the address has an account.
  const isKnown = !tenancy.policy.hasEnumerationProtection && (await findWayIn(ctx, environmentId, 'email', invitation.email))?.leadsIn;
  return open({ flow: isKnown ? 'login' : 'register', firstName: invitation.firstName, lastName: invitation.lastName });
}

/** What an application is told that wants no page where this one is due (OpenID Connect Core §3.1.2.6). */
function refusalFor(step: Step): RedirectError {
  if (['consent', 'device', 'terms'].includes(step)) return new RedirectError('consent_required', 'The user has to be asked first.');
  if (['organization', 'organization_name'].includes(step))
    return new RedirectError('interaction_required', 'The user has to say for which organization.');
  return new RedirectError('login_required', 'User authentication is required');
}

/** The browser's session, where the request is content with it, and the organization that it is for unless the request names one. */
async function usableSession(
  ctx: Context,
  place: Place,
  { prompt, maxAge, hintedUserId, request }: Authorization,
  token: string | undefined,
): Promise<{ session: Session; organization: string | null | 'ask' | undefined } | undefined> {
  if (prompt === 'login' || prompt === 'create') return undefined;
  const { tenancy } = place;
  const session = await findSession(ctx, tenancy.environmentId, token);
  if (!session || (hintedUserId !== undefined && hintedUserId !== session.userId)) return undefined;
  const isFresh = maxAge === undefined || ctx.clock.now().getTime() - session.authTime.getTime() <= maxAge * 1000;
  if (!isFresh) return undefined;
  const { organizationId: wanted } = request;
  const choose = () => (prompt === 'none' ? chooseSilently(ctx, tenancy, session) : chooseOrganization(ctx, tenancy, session.userId, null));
  const organization = wanted ? undefined : await choose();
  const isFor = wanted ?? (organization === 'ask' ? null : organization) ?? null;
  return (await isIdleFor(ctx, place, session, isFor)) ? undefined : { session, organization };
}

/** Where a link to an attempt leads that is over: to the application, which starts over; undefined when it has named no place to. */
export function startOver(ctx: Context, { tenancy, client }: Place, { request }: Attempt): Destination | undefined {
  if (request.reauthState) {
    const parameters = { error: 'login_link_expired', reauth_state: ctx.vault.open('reauth state', request.reauthState) };
    return answer(request, tenancy.issuer, parameters);
  }
  const loginUri = loginUriFor(client, request.redirectUri);
  return loginUri ? { by: 'redirect', location: loginUri } : undefined;
}

/** The attempt that a person was proved in, and the session that the browser has. */
type Proving = Pick<StepRequest, 'ctx' | 'place' | 'attempt' | 'sessionToken'>;

/** Goes on once the person is known by a code: a password may be missing. */
export async function identified(proving: Proving, userId: string, method: AuthenticationMethod): Promise<Outcome> {
  const { ctx, place, attempt } = proving;
  const isPasswordDue =
    attempt.isReset || (usesPassword(place.client, attempt) && (await passwordState(ctx, attempt.environmentId, userId)) !== 'set');
  return isPasswordDue ? newPassword(ctx, place, attempt, userId, method) : authenticated(proving, userId, method);
}

/** Leads to the page on which a password is chosen. */
export async function newPassword(
  ctx: Context,
  { tenancy }: Place,
  attempt: Attempt,
  userId: string,
  method: AuthenticationMethod,
): Promise<Outcome> {
  await updateAttempt(ctx, attempt, { step: 'new_password', userId, ...proof(ctx, attempt, method) });
  return { location: pageOf(tenancy, attempt) };
}

/** Goes on once nothing more has to be proved to be this person. */
export async function authenticated(
  { ctx, place, attempt, sessionToken }: Proving,
  userId: string,
  method: AuthenticationMethod,
): Promise<Outcome> {
  const { tenancy } = place;
  const { email } = attempt;
  await assertWelcome(ctx, attempt, userId);
  if (tenancy.kind === 'account' && email) await inTransaction(ctx, (tx) => acceptInvitations(tx, tenancy.environmentId, userId, email));
  const change = { userId, organizationId: attempt.organizationId, ...proof(ctx, attempt, method) };
  return proceed(ctx, place, attempt, change, sessionToken);
}

/** What the attempt notes of a person who has just been proved. */
export function proof(
  ctx: Context,
  { amr }: Attempt,
  ...methods: readonly AuthenticationMethod[]
): Required<Pick<AttemptChange, 'authTime' | 'amr'>> {
  return { authTime: ctx.clock.now(), amr: [...new Set([...amr, ...methods])] };
}
