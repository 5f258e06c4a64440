/** Second factors as people set them up and prove them. A factor belongs to the sign-ins of one environment or of one organization in it. */
import type { MfaFactor, Prisma } from '../../db/generated/client/client.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { type Context, inTransaction, type Scope } from '../context.ts';
import type { MfaFactorKind } from '../sign-in-policies/service.ts';
import { authenticatorStep } from './authenticator.ts';
import { BY_STRENGTH, type MfaRequirement, mfaPlace, mfaProof, possibleFactors } from './requirement.ts';

export type EnrolledFactor = Pick<MfaFactor, 'environmentId' | 'id' | 'organizationId' | 'label' | 'secret'> & {
  readonly type: MfaFactorKind;
};

const PURPOSE = 'second factor';

/** The person's factors that the requirement allows, the one that was used last first. */
export async function enrolledFactors(
  ctx: Context,
  environmentId: string,
  userId: string,
  { organizationId, factors }: MfaRequirement,
): Promise<EnrolledFactor[]> {
  return findFactors(ctx, { environmentId, userId, organizationId, type: { in: [...factors] } });
}

/**
 * What has to be proved before anything new is set up: the strongest that the person has, for whatever sign-ins; nothing
 * where one of those was proved. Else whoever has a password or a mailbox alone would come past the second factor by
 * setting one up of their own, in an organization or for a team where there is none yet.
 * @param proofs what was proved in the attempt and the session
 */
export async function factorsToProveFirst(
  ctx: Context,
  environmentId: string,
  userId: string,
  proofs: readonly string[],
): Promise<EnrolledFactor[]> {
  const all = await findFactors(ctx, { environmentId, userId });
  const kinds = BY_STRENGTH.filter((kind) => all.some(({ type }) => type === kind));
  const [strongest] = await possibleFactors(ctx, environmentId, kinds);
  const first = all.filter(({ type }) => type === strongest);
  const isProved = first.some((factor) =>
    [factor.type, 'recovery_codes' as const].some((proof) => proofs.includes(mfaProof(factor, proof))),
  );
  return isProved ? [] : first;
}

async function findFactors(ctx: Context, where: Prisma.MfaFactorWhereInput): Promise<EnrolledFactor[]> {
  const rows = await ctx.db.mfaFactor.findMany({
    where: { ...where, secret: { not: null } },
    orderBy: [{ lastUsedAt: { sort: 'desc', nulls: 'last' } }, { id: 'asc' }],
    select: { environmentId: true, id: true, organizationId: true, type: true, label: true, secret: true },
  });
  return rows as EnrolledFactor[];
}

export interface NewFactor {
  readonly type: MfaFactorKind;
  /** What it takes to prove it: the authenticator's key, or the address or number that codes go to. */
  readonly secret: string;
  readonly label: string | null;
  /** The time step of the authenticator that proved it. */
  readonly lastStep?: number;
}

/**
 * Sets a factor up that has just been proved.
 * @param proofs what else was proved in the attempt and the session
 * @returns false when the person has one by now that has to be proved instead or before: whoever began to set one up
 *   before that does not come past it
 */
export async function enrol(
  ctx: Context,
  { environmentId, businessId }: Scope,
  userId: string,
  requirement: MfaRequirement,
  { secret, ...factor }: NewFactor,
  proofs: readonly string[],
): Promise<boolean> {
  const { organizationId } = requirement;
  return inTransaction(ctx, async (tx) => {
    await lockUser(tx, environmentId, userId);
    if ((await enrolledFactors(tx, environmentId, userId, requirement)).length > 0) return false;
    if ((await factorsToProveFirst(tx, environmentId, userId, proofs)).length > 0) return false;
    const id = newId('mfaFactor');
    const sealed = ctx.vault.seal(PURPOSE, secret);
    await tx.db.mfaFactor.create({
      data: { environmentId, id, userId, organizationId, ...factor, secret: sealed, lastUsedAt: ctx.clock.now() },
    });
    const details = { type: factor.type, organizationId };
    await audit(tx, { businessId, environmentId, action: 'user.mfa_enrolled', target: { type: 'user', id: userId }, details });
    return true;
  });
}

/** Lets one transaction at a time change what factors a person has. */
export async function lockUser(ctx: Context, environmentId: string, userId: string): Promise<void> {
  await ctx.db.$queryRaw`SELECT id FROM users WHERE environment_id = ${environmentId} AND id = ${userId} FOR NO KEY UPDATE`;
}

/** Where a factor's codes go, or its authenticator's key. */
export function factorSecret(ctx: Context, { secret }: EnrolledFactor): string {
  return ctx.vault.open(PURPOSE, secret!);
}

/** Takes an authenticator's code, each once: `used` for one that was right and was taken before, however parallel. */
export async function useAuthenticatorCode(ctx: Context, factor: EnrolledFactor, code: string): Promise<'right' | 'wrong' | 'used'> {
  const { environmentId, id } = factor;
  const now = ctx.clock.now();
  const step = authenticatorStep(factorSecret(ctx, factor), code, now);
  if (step === undefined) return 'wrong';
  const { count } = await ctx.db.mfaFactor.updateMany({
    where: { environmentId, id, OR: [{ lastStep: null }, { lastStep: { lt: step } }] },
    data: { lastStep: step, lastUsedAt: now },
  });
  return count === 1 ? 'right' : 'used';
}

/** Notes that a factor was proved; false when it is not there any more. */
export async function noteUse(ctx: Context, { environmentId, id }: EnrolledFactor): Promise<boolean> {
  const { count } = await ctx.db.mfaFactor.updateMany({ where: { environmentId, id }, data: { lastUsedAt: ctx.clock.now() } });
  return count === 1;
}

/** Has the person said that no second factor is wanted for these sign-ins? */
export async function hasDeclined(ctx: Context, environmentId: string, userId: string, requirement: MfaRequirement): Promise<boolean> {
  return (await ctx.db.user.count({ where: { environmentId, id: userId, mfaDeclined: { has: mfaPlace(requirement) } } })) > 0;
}

/** Remembers that no second factor is wanted, until an administrator resets them. */
export async function decline(ctx: Context, { environmentId, businessId }: Scope, userId: string, requirement: MfaRequirement) {
  const place = mfaPlace(requirement);
  const { count } = await ctx.db.user.updateMany({
    where: { environmentId, id: userId, NOT: { mfaDeclined: { has: place } } },
    data: { mfaDeclined: { push: place } },
  });
  if (count === 0) return;
  const details = { organizationId: requirement.organizationId };
  await audit(ctx, { businessId, environmentId, action: 'user.mfa_declined', target: { type: 'user', id: userId }, details });
}

/** "j•••@example.com", or the last digits of a number. */
export function masked(address: string): string {
  const at = address.lastIndexOf('@');
  return at > 0 ? `${address[0]}•••${address.slice(at)}` : `•••${address.slice(-3)}`;
}
