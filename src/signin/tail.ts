/** What is left to do for a person who is known: each step that is due in its turn, then the end. */
import { isConsentDue } from '../features/consents/service.ts';
import { type Context, inTransaction } from '../features/context.ts';
import { deviceToConfirm } from '../features/device-authorizations/service.ts';
import { factorsToProveFirst } from '../features/mfa-factors/enrolment.ts';
import { acceptInvitation } from '../features/organization-invitations/acceptance.ts';
import { bringsOrganization } from '../features/organizations/service.ts';
import { passkeyPolicyFor, passkeyPrompt } from '../features/passkeys/service.ts';
import { noteMarketingConsent } from '../features/property-values/marketing.ts';
import { findSession, isIdle, type Session } from '../features/sessions/service.ts';
import { type Attempt, type AttemptChange, type Step, updateAttempt } from '../features/sign-in-attempts/service.ts';
import { isAcceptanceDue, noteAcceptance } from '../features/terms/service.ts';
import { addressOf, findUserIdBy, type IdentityType, isSuspended } from '../features/users/service.ts';
import { invitationGone } from '../oidc/errors.ts';
import { complete } from './completion.ts';
import type { Outcome } from './flow.ts';
import { arriveAtMfa, mfaDue } from './mfa.ts';
import { chooseOrganization } from './organization-choice.ts';
import { expired, type Place, pageOf, suspended } from './place.ts';
import { sessionPolicy } from './session-policy.ts';

/** Who somebody is, by this attempt or by the session that the browser had before it. */
export interface Known {
  readonly userId: string;
  readonly authTime: Date;
  readonly amr: readonly string[];
  readonly mfaProofs: readonly string[];
  /** Where it is the session that says so. */
  readonly session?: Session;
}

/** What a step of the tail judges by. */
export type Pending = Pick<Attempt, 'request' | 'organizationId' | 'answered'> &
  Partial<Pick<Attempt, 'username'>> & {
    /** The second factors that were proved in this attempt. */
    readonly mfaProofs?: readonly string[];
    /** Whether the application wants no page: then nobody is asked what does not have to be. */
    readonly isSilent?: boolean;
  };

/** Says which page of a step is due, if any: `identify` where a session is not enough. Never asked again in an attempt that has `answered` it. */
type Due = (ctx: Context, place: Place, pending: Pending, known: Known) => Promise<Step | undefined>;

/** That the browser's session is not idle: `answered` where that was judged already. */
export const SESSION = 'session';

/** In the order in which people come to them; the organization, which is before all of them, is known by then. */
const TAIL: Readonly<Record<string, Due>> = {
  [SESSION]: async (ctx, place, { organizationId }, { session }) =>
    session && (await isIdleFor(ctx, place, session, organizationId)) ? 'identify' : undefined,
  mfa: mfaDue,
  organization_name: organizationNameDue,
  email: async (ctx, { tenancy }, { username }, { userId, session }) =>
    username && !session && !(await addressOf(ctx, tenancy.environmentId, userId)) ? 'provide_email' : undefined,
  passkey: passkeyDue,
  terms: async (ctx, { tenancy }, _pending, { userId }) => ((await isAcceptanceDue(ctx, tenancy, userId)) ? 'terms' : undefined),
  device: async (_ctx, _place, { request }) => (request.userCode ? 'device' : undefined),
  consent: async (ctx, { tenancy, client }, { request }, { userId }) =>
    (await isConsentDue(ctx, tenancy.environmentId, userId, client, request)) ? 'consent' : undefined,
};

/** Asks a new user for the name of the organization that they bring along, where the application has said none. */
async function organizationNameDue(
  ctx: Context,
  { tenancy: { environmentId, policy } }: Place,
  { request: { newOrganization }, organizationId }: Pending,
  { userId }: Known,
): Promise<Step | undefined> {
  if (!newOrganization || newOrganization.name !== null || organizationId) return undefined;
  return policy.allowOrganizationCreation && (await bringsOrganization(ctx, environmentId, userId)) ? 'organization_name' : undefined;
}

/** What people type to be known, and what they have instead of it. */
const TYPED = ['otp', 'pwd', 'sms'];
const PASSKEYS = ['hwk', 'swk'];

/** Asks for a passkey after a sign-in by credentials, of who has none; and takes none where they are off. */
async function passkeyDue(
  ctx: Context,
  { tenancy }: Place,
  { organizationId }: Pending,
  { userId, amr, mfaProofs, session }: Known,
): Promise<Step | undefined> {
  // What comes after the first is a second factor.
  const [first = ''] = amr;
  const policy = await passkeyPolicyFor(ctx, tenancy, organizationId);
  if (policy === 'off') return PASSKEYS.includes(first) ? 'passkey_off' : undefined;
  if (!TYPED.includes(first) || (session && policy === 'optional')) return undefined;
  const { hasPasskey, isDeclined } = await passkeyPrompt(ctx, tenancy.environmentId, userId);
  if (hasPasskey || (isDeclined && policy === 'optional')) return undefined;
  if (session) return 'identify';
  if (await mayMakePasskey(ctx, tenancy, userId, mfaProofs)) return 'passkey_setup';
  return policy === 'mandatory' ? 'mfa_challenge' : undefined;
}

/** Where a passkey is taken for a second factor too, it is made as one: by who has proved the others. */
export async function mayMakePasskey(
  ctx: Context,
  { environmentId, isPasskeyMultiFactor }: Place['tenancy'],
  userId: string,
  mfaProofs: readonly string[],
): Promise<boolean> {
  return !isPasskeyMultiFactor || (await factorsToProveFirst(ctx, environmentId, userId, mfaProofs)).length === 0;
}

/** The first page that somebody who is known still has to see. */
export async function firstDue(ctx: Context, place: Place, pending: Pending, known: Known): Promise<Step | undefined> {
  for (const [name, due] of Object.entries(TAIL)) {
    const step = pending.answered.includes(name) ? undefined : await due(ctx, place, pending, known);
    if (step) return step;
  }
  return undefined;
}

/**
 * Goes on for a person who is known, with what has just been found out about the attempt: to the next page that is due,
 * or to the end.
 * @param sessionToken of the browser's session: it says who the person is where the attempt has not proved it, and goes on or ends where it has
 * @throws PageError for who is not welcome any more, or not in the organization that is asked for
 */
export async function proceed(
  ctx: Context,
  place: Place,
  attempt: Attempt,
  change: AttemptChange,
  sessionToken: string | undefined,
): Promise<Outcome> {
  const next = { ...attempt, ...change };
  const known = await knownIn(ctx, next, sessionToken);
  await assertWelcome(ctx, next, known.userId);
  // What was shown, read before the transaction: the hot paths that know scopes have a connection of their own.
  const device = next.answered.includes('device') ? await deviceToConfirm(ctx, { ...next, userId: known.userId }) : undefined;
  return inTransaction(ctx, async (tx) => {
    const answered = await takeInvitation(tx, place, next, known.userId);
    await noteSaid(tx, place, next, known.userId);
    const organization = await chooseOrganization(tx, place.tenancy, known.userId, next.organizationId ?? next.request.organizationId);
    const organizationId = organization === 'ask' ? null : organization;
    const step = organization === 'ask' ? 'organization' : await firstDue(tx, place, { ...next, organizationId, answered }, known);
    if (step === 'identify') return signInAgain(tx, place, attempt, organizationId);
    if (!step) return complete(tx, place, attempt, { attempt: { ...next, organizationId }, known, device, sessionToken });
    await arrive(tx, place, attempt, { ...change, step, userId: known.userId, organizationId, answered });
    return { location: pageOf(place.tenancy, attempt) };
  });
}

/** Is the session over for who signs in to the organization? */
export async function isIdleFor(ctx: Context, place: Place, session: Session, organizationId: string | null): Promise<boolean> {
  return isIdle(ctx, session, (await sessionPolicy(ctx, place, organizationId)).inactivityTimeout);
}

/** Back to the first page, for the organization that was chosen: the browser's session is not enough for it. */
async function signInAgain(ctx: Context, { tenancy }: Place, attempt: Attempt, organizationId: string | null): Promise<Outcome> {
  const nobody = { userId: null, amr: [], mfaProofs: [], mfaPending: null, answered: [] };
  await updateAttempt(ctx, attempt, { step: 'identify', flow: 'login', organizationId, ...nobody });
  return { location: pageOf(tenancy, attempt) };
}

/** Moves the attempt to a page, which is given what it shows. */
async function arrive(ctx: Context, place: Place, attempt: Attempt, change: AttemptChange): Promise<void> {
  await updateAttempt(ctx, attempt, change);
  await arriveAtMfa(ctx, place, { ...attempt, ...change });
}

/** Goes on from a step of the tail, which is done. */
export function answered(ctx: Context, place: Place, attempt: Attempt, name: string, sessionToken: string | undefined): Promise<Outcome> {
  return proceed(ctx, place, attempt, { answered: [...attempt.answered, name] }, sessionToken);
}

/** Who the attempt is about, which it has proved, or else the browser's session.
 * @throws PageError when the attempt's person is not signed in any more, or is another one by now */
export async function knownIn(
  ctx: Context,
  { environmentId, userId, authTime, amr, mfaProofs }: Pick<Attempt, 'environmentId' | 'userId' | 'authTime' | 'amr' | 'mfaProofs'>,
  sessionToken: string | undefined,
): Promise<Known> {
  if (userId && authTime) return { userId, authTime, amr, mfaProofs };
  const session = await findSession(ctx, environmentId, sessionToken);
  if (!session || session.userId !== userId) throw expired();
  return { userId, authTime: session.authTime, amr: session.amr, mfaProofs: [...session.mfaProofs, ...mfaProofs], session };
}

/** Is the person still who the attempt took it for, and welcome? An operator may have changed that since the last step.
 * @throws PageError */
export async function assertWelcome(
  ctx: Context,
  { environmentId, email, phone, username, flow }: Pick<Attempt, 'environmentId' | 'email' | 'phone' | 'username' | 'flow'>,
  userId: string,
) {
  if (await isSuspended(ctx, environmentId, userId)) throw suspended();
  const identities = { email, phone, username: flow === 'login' ? username : null };
  for (const [type, value] of Object.entries(identities))
    if (value && (await findUserIdBy(ctx, environmentId, type as IdentityType, value)) !== userId) throw expired();
}

/** Makes the person a member of the organization that the attempt's invitation is to, once. Returns what is answered by then.
 * @throws PageError when it cannot be taken up any more */
async function takeInvitation(ctx: Context, { tenancy }: Place, { request, answered }: Attempt, userId: string): Promise<string[]> {
  if (!request.invitationId || answered.includes('joined')) return answered;
  if (!(await acceptInvitation(ctx, tenancy, request.invitationId, userId))) throw invitationGone();
  return [...answered, 'joined'];
}

/** Keeps what the person said when they signed up. */
async function noteSaid(
  ctx: Context,
  { tenancy }: Place,
  { acceptedTerms, wantsMarketing }: Pick<Attempt, 'acceptedTerms' | 'wantsMarketing'>,
  userId: string,
): Promise<void> {
  if (acceptedTerms !== null) await noteAcceptance(ctx, tenancy, userId, acceptedTerms);
  if (wantsMarketing !== null) await noteMarketingConsent(ctx, tenancy, userId, wantsMarketing);
}
