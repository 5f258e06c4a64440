/** Recovery codes: what gets people in once each when their second factor is lost. Only keyed digests of them are kept. */
import { newId, randomBase32 } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { type Context, inTransaction, type Scope } from '../context.ts';
import { lockUser } from './enrolment.ts';
import type { MfaRequirement } from './requirement.ts';

export const RECOVERY_CODES = 10;

/** New codes of 50 bits, as they are shown: "ABCDE-FGHIJ". */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => `${randomBase32(5)}-${randomBase32(5)}`);
}

/** Whose sign-ins codes are for: an organization's, or with null the environment's. */
type Places = readonly (string | null)[];

/** Has the person codes left for the sign-ins of one of the places? */
export async function hasRecoveryCodesLeft(ctx: Context, environmentId: string, userId: string, places: Places): Promise<boolean> {
  return places.length > 0 && (await ctx.db.mfaFactor.count({ where: ofPerson(environmentId, userId, places) })) > 0;
}

/** Makes the codes good that the person was shown; those of before are not any more. */
export async function keepRecoveryCodes(
  ctx: Context,
  { environmentId, businessId }: Scope,
  userId: string,
  requirement: MfaRequirement,
  codes: readonly string[],
): Promise<void> {
  const { organizationId } = requirement;
  const id = newId('mfaFactor');
  await inTransaction(ctx, async (tx) => {
    await lockUser(tx, environmentId, userId);
    await tx.db.mfaFactor.deleteMany({ where: ofPerson(environmentId, userId, [organizationId]) });
    await tx.db.mfaFactor.create({ data: { environmentId, id, userId, organizationId, type: 'recovery_codes' } });
    await tx.db.recoveryCode.createMany({
      data: codes.map((code) => ({ environmentId, factorId: id, codeHash: digest(ctx, environmentId, userId, code) })),
    });
    const details = { organizationId };
    await audit(tx, { businessId, environmentId, action: 'user.recovery_codes_made', target: { type: 'user', id: userId }, details });
  });
}

/**
 * Uses a code up, once. The last one takes what it belonged to along, so that new ones are made.
 * @returns whose sign-ins it was for, or undefined for a wrong code
 */
export async function useRecoveryCode(
  ctx: Context,
  { environmentId, businessId }: Scope,
  userId: string,
  places: Places,
  code: string,
): Promise<string | null | undefined> {
  return inTransaction(ctx, async (tx) => {
    const codeHash = digest(ctx, environmentId, userId, code);
    const set = await tx.db.mfaFactor.findFirst({
      where: { ...ofPerson(environmentId, userId, places), recoveryCodes: { some: { codeHash } } },
      select: { id: true, organizationId: true },
    });
    if (!set) return undefined;
    const { id: factorId, organizationId } = set;
    const { count } = await tx.db.recoveryCode.deleteMany({ where: { environmentId, factorId, codeHash } });
    if (count === 0) return undefined;
    const left = await tx.db.recoveryCode.count({ where: { environmentId, factorId } });
    if (left === 0) await tx.db.mfaFactor.deleteMany({ where: { environmentId, id: factorId } });
    else await tx.db.mfaFactor.updateMany({ where: { environmentId, id: factorId }, data: { lastUsedAt: ctx.clock.now() } });
    const details = { organizationId, left };
    await audit(tx, { businessId, environmentId, action: 'user.recovery_code_used', target: { type: 'user', id: userId }, details });
    return organizationId;
  });
}

function ofPerson(environmentId: string, userId: string, places: Places) {
  return { environmentId, userId, type: 'recovery_codes', OR: places.map((organizationId) => ({ organizationId })) };
}

function digest(ctx: Context, environmentId: string, userId: string, code: string): string {
  const plain = code.toUpperCase().replace(/[^A-Z2-7]/g, '');
  return ctx.vault.mac('recovery code', `${environmentId} ${userId} ${plain}`).toString('hex');
}
