/**
 * Sign-in attempts: the server-side record of one person's way through the hosted pages. It is bound to the browser
 * that started it, lives {@link ATTEMPT_SECONDS}, and its codes are tried at most {@link MAX_CODE_TRIES} times.
 */

import type { Prisma } from '../../db/client.ts';
import type { SignInAttempt } from '../../db/generated/client/client.ts';
import { later } from '../../kernel/clock.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { randomDigits, randomToken, sortableHex } from '../../kernel/ids.ts';
import { sendMail } from '../../mail/sender.ts';
import { codeMail, noAccountMail } from '../../mail/templates.ts';
import { sendText } from '../../phone/sender.ts';
import { codeText, noAccountText } from '../../phone/texts.ts';
import { sameText, sha256 } from '../../security/secrets.ts';
import { type Context, inTransaction } from '../context.ts';
import { currentSenderId } from '../email-senders/service.ts';
import { paperFor } from '../letters/service.ts';
import { isPhone } from '../text.ts';
import { addressAsWritten } from '../users/service.ts';

export const ATTEMPT_SECONDS = 3600;
export const MAX_CODE_TRIES = 5;
/** Seconds before another code may be asked for. */
export const RESEND_SECONDS = 30;
/** Codes sent to one address or number in an hour, whoever asks for them: with {@link MAX_CODE_TRIES} it bounds the guesses. A text costs money. */
export const MAX_MAILS_PER_HOUR = 20;
export const MAX_TEXTS_PER_HOUR = 10;

/** The page a person is on. */
export type Step =
  | 'identify'
  | 'provide_email'
  | 'not_found'
  | 'code'
  | 'password'
  | 'new_password'
  | 'organization'
  | 'organization_name'
  | 'passkey_setup'
  | 'passkey_off'
  | 'invitation'
  | 'mfa_offer'
  | 'mfa_choose'
  | 'mfa_app'
  | 'mfa_address'
  | 'mfa_phone'
  | 'mfa_new_code'
  | 'mfa_challenge'
  | 'mfa_recovery'
  | 'mfa_recovery_codes'
  | 'terms'
  | 'device'
  | 'consent'
  | 'completed';
export type Flow = 'login' | 'register';

/** The authorization request as it was checked: nothing of it is read from the browser again. */
export interface AuthorizationRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly responseMode: 'query' | 'fragment' | 'form_post';
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly state: string | null;
  readonly nonce: string | null;
  readonly codeChallenge: string | null;
  /** The thumbprint of the key that the code is bound to. */
  readonly dpopJkt?: string | null;
  readonly organizationId: string | null;
  /** Whom the application knows already: it is answered for nobody else. */
  readonly hintedUserId?: string;
  /** The code of the device that the person signs in for: it ends with a decision, and no code goes back. */
  readonly userCode?: string;
  /** The person signs in for their own account pages, which have a way back there: no code goes to the application. */
  readonly portal?: { readonly returnUrl: string | null };
  /** The organization that a new user brings along; without a name they are asked for it. */
  readonly newOrganization: { readonly name: string | null } | null;
  /** The invitation that the person came by, into {@link organizationId}. */
  readonly invitationId: string | null;
  /** The address to sign in with, with an invitation the only one; or `phone:<E.164>:<country>`, or `username:<name>`. */
  readonly loginHint: string | null;
  /** The language tags that the pages are asked for, the best first, with spaces between them. */
  readonly lang: string | null;
  readonly hasSuccessPage: boolean;
  /** Whether an application that nobody has looked at wants the person asked again. */
  readonly asksConsent?: boolean;
  /** What an application that can start over is given to do so, sealed; null for one that cannot. */
  readonly reauthState: string | null;
  /** What is noted about a new user or organization, by advertisers' names. */
  readonly marketingTags: Readonly<Record<string, string>>;
  /** Seconds since 1970. */
  readonly requestedAt: number;
}

export type Attempt = Omit<SignInAttempt, 'request' | 'step' | 'flow'> & {
  readonly request: AuthorizationRequest;
  readonly step: Step;
  readonly flow: Flow;
};

export async function startAttempt(
  ctx: Context,
  input: {
    environmentId: string;
    applicationId: string;
    browserToken: string;
    request: AuthorizationRequest;
    flow: Flow;
    step?: Step;
    userId?: string | null;
    organizationId?: string | null;
    firstName?: string | null;
    lastName?: string | null;
  },
): Promise<Attempt> {
  const { browserToken, request, ...rest } = input;
  const row = await ctx.db.signInAttempt.create({
    data: {
      ...rest,
      id: randomToken(18),
      step: input.step ?? 'identify',
      browserHash: sha256(browserToken),
      request: request as unknown as Prisma.InputJsonObject,
      ...hinted(request.loginHint),
      emailSenderId: await currentSenderId(ctx, rest.environmentId),
      expiresAt: later(ctx.clock.now(), ATTEMPT_SECONDS),
    },
  });
  return row as unknown as Attempt;
}

/** The browser's attempt, which may be over: 'unknown' when it is gone or never was, 'foreign' in another browser. */
export async function findAttempt(
  ctx: Context,
  environmentId: string,
  id: string,
  browserToken: string | undefined,
): Promise<Attempt | 'unknown' | 'foreign'> {
  if (!/^[A-Za-z0-9_-]{24}$/.test(id)) return 'unknown';
  const row = await ctx.db.signInAttempt.findFirst({ where: { environmentId, id } });
  if (!row) return 'unknown';
  if (!browserToken || !sameText(sha256(browserToken), row.browserHash)) return 'foreign';
  return row as unknown as Attempt;
}

/** Is there nothing more to do in it? */
export function isOver(ctx: Context, attempt: Attempt): 'expired' | 'completed' | undefined {
  if (attempt.expiresAt <= ctx.clock.now()) return 'expired';
  return attempt.step === 'completed' ? 'completed' : undefined;
}

/** What may change on the way. */
export type AttemptChange = Partial<
  Pick<
    Attempt,
    | 'step'
    | 'flow'
    | 'email'
    | 'phone'
    | 'username'
    | 'usesPhone'
    | 'firstName'
    | 'lastName'
    | 'userId'
    | 'organizationId'
    | 'isReset'
    | 'authTime'
    | 'amr'
    | 'answered'
    | 'acceptedTerms'
    | 'wantsMarketing'
    | 'mfaProofs'
    | 'mfaPending'
  >
>;

/** The attempt as the caller read it: a change is for that one, and none once another request has moved it on. */
function unmoved({ environmentId, id, step, email, phone }: Attempt) {
  return { environmentId, id, step, email, phone };
}

/** What a hint fills in. */
function hinted(hint: string | null): AttemptChange {
  const [kind, value = ''] = hint?.split(':') ?? [];
  if (kind === 'phone') return { phone: value, usesPhone: true };
  return kind === 'username' ? { username: value } : { email: hint };
}

/** What the attempt's code proves; of who has typed a username and can be sent nothing, that. */
function codeIsFor({ phone, email, username }: Attempt): string | null {
  return phone ?? email ?? username;
}

/** Moves the attempt on from where the caller found it. A request that comes too late changes nothing: the faster one stands. */
export async function updateAttempt(ctx: Context, attempt: Attempt, change: AttemptChange): Promise<void> {
  await ctx.db.signInAttempt.updateMany({ where: unmoved(attempt), data: change });
}

/** Holds the attempt where the caller found it, to the end of the transaction; false where it is not there any more. */
export async function holdAttempt(ctx: Context, attempt: Attempt): Promise<boolean> {
  const { count } = await ctx.db.signInAttempt.updateMany({ where: unmoved(attempt), data: { step: attempt.step } });
  return count === 1;
}

/** Ends the attempt: true for the one caller that completes it, false for every other, however parallel. */
export async function completeAttempt(ctx: Context, attempt: Attempt): Promise<boolean> {
  const { count } = await ctx.db.signInAttempt.updateMany({
    where: { ...unmoved(attempt), NOT: { step: 'completed' } },
    data: { step: 'completed', codeHash: null },
  });
  return count === 1;
}

/** Takes the second factors back that the user has proved in attempts, or is about to. */
export async function forgetMfaInAttempts(ctx: Context, environmentId: string, userId: string): Promise<void> {
  await ctx.db.signInAttempt.updateMany({ where: { environmentId, userId }, data: { mfaProofs: [], mfaPending: null } });
}

/** Ends the attempts in which the user is proved, and that have not come to their end, but `sparedId`. */
export async function endProvedAttempts(ctx: Context, environmentId: string, userId: string, sparedId?: string): Promise<void> {
  const spared = sparedId === undefined ? {} : { id: { not: sparedId } };
  await ctx.db.signInAttempt.deleteMany({
    where: { environmentId, userId, ...spared, authTime: { not: null }, NOT: { step: 'completed' } },
  });
}

/** What a code is sent for. `no_account`: what is sent says that there is none, and no code will do. `mfa`: it proves that address or number as a second factor, and nothing else. */
export type CodePurpose = 'sign_in' | 'sign_up' | 'have_account' | 'no_account' | 'reset_password' | { readonly mfa: string };

/** What a code is sent for, and by whom. */
export interface CodeInput {
  readonly applicationName: string;
  readonly issuer: string;
  /** Seconds. */
  readonly lifetime: number;
  readonly purpose: CodePurpose;
  readonly change?: AttemptChange;
  /** Whether nobody has proved or asked for anything to have it: then none is sent where one was, for whatever attempt, during the cool-down. */
  readonly isUnasked?: boolean;
}

/** Sends a fresh 6-digit code to what it is to prove: the attempt's address or phone, or a second factor's; false during the cool-down. It need not have an account.
 * @throws InvalidInputError TOO_MANY_CODES beyond {@link MAX_MAILS_PER_HOUR} or {@link MAX_TEXTS_PER_HOUR}, over all attempts; CODE_SENT for one that is unasked */
export async function sendCode(ctx: Context, attempt: Attempt, input: CodeInput): Promise<boolean> {
  const { purpose } = input;
  const now = ctx.clock.now();
  const code = randomDigits(6);
  const next = { ...attempt, ...input.change };
  const isMfa = typeof purpose === 'object';
  const to = isMfa ? purpose.mfa : codeIsFor(next);
  if (!to) return false;
  const isGood = isMfa || (purpose !== 'no_account' && (next.phone ?? next.email) !== null);
  const codeFor = ctx.vault.mac('code for', `${attempt.environmentId} ${attempt.id} ${to.toLowerCase()}`).toString('hex');
  const isCool = [{ codeSentAt: null }, { codeSentAt: { lte: later(now, -RESEND_SECONDS) } }, { codeFor: { not: codeFor } }];
  return inTransaction(ctx, async (tx) => {
    const { count } = await tx.db.signInAttempt.updateMany({
      where: { ...unmoved(attempt), OR: [...isCool, ...(isMfa ? [{ codeHash: null }] : [])] },
      data: {
        step: 'code',
        ...input.change,
        codeHash: codeHash(ctx, attempt, isMfa ? 'mfa' : 'sign_in', to, isGood ? code : randomToken()),
        codeFor,
        codeExpiresAt: later(now, input.lifetime),
        codeSentAt: now,
        codeTries: 0,
      },
    });
    if (count === 0) return false;
    await countCode(tx, attempt.environmentId, to, { isUnasked: input.isUnasked ?? false });
    await deliverCode(tx, next, code, input);
    return true;
  });
}

/**
 * Of a username that nobody has, or whose user has no address, there is nowhere to send anything. What was typed only
 * compares as somebody's address and may be another mailbox: mail goes to the address as its user has it.
 */
async function deliverCode(ctx: Context, attempt: Attempt, code: string, { applicationName, issuer, lifetime, purpose }: CodeInput) {
  const { environmentId } = attempt;
  const isMfa = typeof purpose === 'object';
  const contact = isMfa ? purpose.mfa : (attempt.phone ?? attempt.email);
  if (!contact) return;
  if (isPhone(contact)) return textCode(ctx, environmentId, contact, purpose === 'no_account' ? null : code, issuer);
  const to = isMfa ? contact : await addressAsWritten(ctx, environmentId, contact);
  const organizationId = attempt.organizationId ?? attempt.request.organizationId;
  const paper = await paperFor(ctx, environmentId, { organizationId, to: 'visitor' });
  const mail =
    purpose === 'no_account'
      ? noAccountMail(paper, { to, applicationName })
      : codeMail(paper, { to, code, minutes: Math.round(lifetime / 60), applicationName, purpose: isMfa ? 'mfa' : purpose });
  await sendMail(ctx, mail, { kind: 'one_time_code', environmentId, organizationId, senderId: attempt.emailSenderId });
}

/** Texts a code to a phone, or that there is no account with it. */
async function textCode(ctx: Context, environmentId: string, to: string, code: string | null, issuer: string): Promise<void> {
  const { business } = await ctx.db.environment.findUniqueOrThrow({
    where: { id: environmentId },
    select: { business: { select: { name: true } } },
  });
  const words = { businessName: business.name, issuer };
  await sendText(ctx, { environmentId, to, text: code === null ? noAccountText(words) : codeText({ ...words, code }) });
}

/** Counts a code against the address or the number (E.164) that it goes to; one at a time, so that no number of parallel requests gets more.
 * @throws InvalidInputError TOO_MANY_CODES beyond {@link MAX_MAILS_PER_HOUR} or {@link MAX_TEXTS_PER_HOUR}; CODE_SENT for one that is unasked, {@link RESEND_SECONDS} after any other */
export async function countCode(
  ctx: Context,
  environmentId: string,
  to: string,
  { path = [], isUnasked = false }: { readonly path?: readonly string[]; readonly isUnasked?: boolean } = {},
): Promise<void> {
  const normalized = to.toLowerCase();
  const isText = normalized.startsWith('+') && !normalized.includes('@');
  const now = ctx.clock.now();
  await ctx.db.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${environmentId} ${normalized}`}, 0))`;
  const sentSince = (seconds: number) =>
    ctx.db.sentCode.count({ where: { environmentId, normalized, sentAt: { gt: later(now, -seconds) } } });
  const count = await sentSince(3600);
  if (isUnasked && count > 0 && (await sentSince(RESEND_SECONDS)) > 0)
    throw new InvalidInputError('CODE_SENT', 'A code was sent there a moment ago.', path);
  if (count >= (isText ? MAX_TEXTS_PER_HOUR : MAX_MAILS_PER_HOUR)) {
    throw new InvalidInputError('TOO_MANY_CODES', 'Too many codes were sent there. Try again in an hour.', path);
  }
  await ctx.db.sentCode.create({ data: { environmentId, id: sortableHex(), normalized, sentAt: now } });
}

/** Forgets the code that was sent for a second factor: another one may go elsewhere at once. */
export async function dropCode(ctx: Context, attempt: Attempt): Promise<void> {
  await ctx.db.signInAttempt.updateMany({ where: unmoved(attempt), data: { codeHash: null } });
}

/** Takes one try of the attempt's code, which was sent to the attempt's address, or to a second factor's. A right code is used up by it. */
export async function checkCode(
  ctx: Context,
  attempt: Attempt,
  code: string,
  mfaAddress?: string,
): Promise<'right' | 'wrong' | 'used_up' | 'expired'> {
  const { environmentId, id } = attempt;
  const now = ctx.clock.now();
  const rows = await ctx.db.$queryRaw<{ hash: string | null; expires: Date | null }[]>`
    UPDATE sign_in_attempts SET code_tries = code_tries + 1
    WHERE environment_id = ${environmentId} AND id = ${id} AND code_tries < ${MAX_CODE_TRIES} RETURNING code_hash AS hash, code_expires_at AS expires`;
  const [row] = rows;
  if (!row?.hash) return 'used_up';
  if (!row.expires || row.expires <= now) return 'expired';
  const [proves, to] = mfaAddress === undefined ? (['sign_in', codeIsFor(attempt) ?? ''] as const) : (['mfa', mfaAddress] as const);
  if (!sameText(codeHash(ctx, attempt, proves, to, code), row.hash)) return 'wrong';
  const { count } = await ctx.db.signInAttempt.updateMany({ where: { environmentId, id, codeHash: row.hash }, data: { codeHash: null } });
  return count === 1 ? 'right' : 'used_up';
}

/** The challenge that the page of a passkey has: of this attempt, random to all but us, and new once it was answered. */
export function passkeyChallenge(ctx: Context, { environmentId, id, passkeyTries }: Attempt): string {
  return ctx.vault.mac('passkey challenge', `${environmentId} ${id} ${passkeyTries}`).toString('base64url');
}

/** Uses the attempt's challenge up: true for the one answer that may be judged, false for every other, however parallel. */
export async function takePasskeyChallenge(ctx: Context, attempt: Attempt): Promise<boolean> {
  const { count } = await ctx.db.signInAttempt.updateMany({
    where: { ...unmoved(attempt), passkeyTries: attempt.passkeyTries },
    data: { passkeyTries: { increment: 1 } },
  });
  return count === 1;
}

/** Deletes attempts and counts of codes that are over, in one small batch. Returns the number of rows. */
export async function deleteExpiredAttempts(ctx: Context, batch = 1000): Promise<number> {
  const rows = await ctx.db.signInAttempt.findMany({
    where: { expiresAt: { lt: later(ctx.clock.now(), -24 * 3600) } },
    select: { environmentId: true, id: true },
    take: batch,
  });
  const codes = await ctx.db.sentCode.findMany({
    where: { sentAt: { lt: later(ctx.clock.now(), -24 * 3600) } },
    select: { environmentId: true, id: true },
    take: batch,
  });
  const attempts = rows.length > 0 ? (await ctx.db.signInAttempt.deleteMany({ where: { OR: rows } })).count : 0;
  return attempts + (codes.length > 0 ? (await ctx.db.sentCode.deleteMany({ where: { OR: codes } })).count : 0);
}

// Keyed, because six digits could be found from a plain digest; bound to the address and to what it is for, so that a code proves nothing else.
function codeHash(ctx: Context, attempt: Attempt, proves: 'sign_in' | 'mfa', address: string, code: string): string {
  return ctx.vault
    .mac(`one-time code ${proves}`, `${attempt.environmentId} ${attempt.id} ${address.toLowerCase()} ${code}`)
    .toString('hex');
}
