/** Rotation of client secrets. One previous secret may be kept, while programs move over to the new one. */
import type { Application } from '../../../db/generated/client/client.ts';
import { InvalidInputError } from '../../../kernel/errors.ts';
import { sha256 } from '../../../security/secrets.ts';
import { assertHoldsScopesOf } from '../../apis/service.ts';
import { audit } from '../../audit/service.ts';
import { action } from '../../context.ts';
import { assertPlanHas } from '../../plans.ts';
import { type ApplicationWithSecret, applicationScope, hasSecret, lockApplication, newClientSecret } from '../service.ts';

export interface RotateApplicationSecretInput {
  readonly applicationId: string;
  /** Whether the secret that there is goes on working, until it is revoked. */
  readonly keepPrevious?: boolean | null | undefined;
}

/** Gives an application a new secret. Every other one stops working at once, but for the one that is kept.
 * @throws InvalidInputError NO_SECRET for a public client, PLAN_LIMIT, or PREVIOUS_SECRET_KEPT when there is one to revoke first
 * @throws ForbiddenError for a scope of the management API that the application has and the actor does not hold */
export const rotateApplicationSecret = action({
  permission: 'update:application_secrets',
  scope: applicationScope,
  async run(ctx, input: RotateApplicationSecretInput, scope): Promise<ApplicationWithSecret> {
    const { environmentId, businessId } = scope;
    const { applicationId } = input;
    await assertHoldsScopesOf(ctx, environmentId, applicationId);
    const keepsPrevious = input.keepPrevious ?? false;
    if (keepsPrevious) await assertPlanHas(ctx, businessId, 'previousSecrets', ['keepPrevious']);
    const { type, secretHash, previousSecretHash } = await lockApplication(ctx, scope, applicationId);
    if (!hasSecret(type))
      throw new InvalidInputError('NO_SECRET', 'Applications of this type are public clients: they have no secret.', ['applicationId']);
    if (keepsPrevious && previousSecretHash)
      throw new InvalidInputError('PREVIOUS_SECRET_KEPT', 'A previous secret is kept already. Revoke it first.', ['keepPrevious']);
    const clientSecret = newClientSecret();
    const application = await ctx.db.application.update({
      where: { environmentId_id: { environmentId, id: applicationId } },
      data: {
        secretHash: sha256(clientSecret),
        previousSecretHash: keepsPrevious ? secretHash : null,
        secretRotatedAt: ctx.clock.now(),
      },
    });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'application.secret_rotated',
      target: { type: 'application', id: applicationId },
      details: { keepsPrevious },
    });
    return { application, clientSecret };
  },
});

/** Ends the previous secret that a rotation kept working.
 * @throws InvalidInputError NO_PREVIOUS_SECRET */
export const revokePreviousSecret = action({
  permission: 'update:application_secrets',
  scope: applicationScope,
  async run(ctx, { applicationId }: { readonly applicationId: string }, { environmentId, businessId }): Promise<Application> {
    const { count } = await ctx.db.application.updateMany({
      where: { environmentId, id: applicationId, previousSecretHash: { not: null } },
      data: { previousSecretHash: null },
    });
    if (count === 0) throw new InvalidInputError('NO_PREVIOUS_SECRET', 'No previous secret is kept.', ['applicationId']);
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'application.previous_secret_revoked',
      target: { type: 'application', id: applicationId },
    });
    return ctx.db.application.findUniqueOrThrow({ where: { environmentId_id: { environmentId, id: applicationId } } });
  },
});
