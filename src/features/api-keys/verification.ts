/** Whether a key is good: what a business's API asks for each request that comes with one. */
import { RateLimitedError } from '../../kernel/errors.ts';
import { sha256 } from '../../security/secrets.ts';
import { action, type Context, environmentScope } from '../context.ts';
import { countAgainst } from '../quotas/service.ts';

/** Verifications a caller may ask for in a minute: one document can hold many. */
export const VERIFICATIONS_PER_MINUTE = 6000;

export interface VerifyApiKeyInput {
  readonly environmentId?: string | null | undefined;
  readonly key: string;
}

/** A key's state: inactive while its owner is suspended. */
export type ApiKeyStatus = 'active' | 'inactive' | 'revoked';

export interface ApiKeyVerification {
  /** All else is absent for a key that the environment does not have. */
  readonly isValid: boolean;
  readonly keyId: string | null;
  readonly status: ApiKeyStatus | null;
  readonly apiId: string | null;
  readonly scopes: readonly string[];
  readonly organizationId: string | null;
  readonly userId: string | null;
  /** ISO 8601; with this verification, where the key is valid. */
  readonly lastVerifiedAt: string | null;
  readonly verificationCount: number | null;
}

const UNKNOWN: ApiKeyVerification = {
  ...{ isValid: false, keyId: null, status: null, apiId: null, scopes: [] },
  ...{ organizationId: null, userId: null, lastVerifiedAt: null, verificationCount: null },
};

const verify = action({
  permission: 'read:api_keys',
  scope: (ctx, input: VerifyApiKeyInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, { key }, { environmentId }): Promise<ApiKeyVerification> {
    // The same statement for every key: an unknown one takes no less than one that is revoked.
    const [row] = await ctx.db.$queryRaw<{ verification: ApiKeyVerification }[]>`
      WITH found AS (
        SELECT k.*, CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
          WHEN coalesce(o.is_suspended, false) OR coalesce(u.is_suspended, false) THEN 'inactive' ELSE 'active' END AS status
        FROM api_keys k
        LEFT JOIN organizations o ON o.environment_id = k.environment_id AND o.id = k.organization_id
        LEFT JOIN users u ON u.environment_id = k.environment_id AND u.id = k.user_id
        WHERE k.environment_id = ${environmentId} AND k.key_hash = ${sha256(key)}
      ), counted AS (
        UPDATE api_keys k SET verification_count = k.verification_count + 1, last_verified_at = ${ctx.clock.now()}
        FROM found f WHERE k.environment_id = f.environment_id AND k.id = f.id AND f.status = 'active' AND k.revoked_at IS NULL AND k.key_hash = f.key_hash
        RETURNING k.verification_count, k.last_verified_at
      ) SELECT json_build_object('isValid', c.verification_count IS NOT NULL, 'keyId', f.id, 'status', f.status, 'apiId', f.api_id, 'scopes', f.scopes,
          'organizationId', f.organization_id, 'userId', f.user_id, 'lastVerifiedAt', coalesce(c.last_verified_at, f.last_verified_at),
          'verificationCount', coalesce(c.verification_count, f.verification_count)) AS verification
        FROM found f LEFT JOIN counted c ON true`;
    return row?.verification ?? UNKNOWN;
  },
});

/** Says whether a key is good, what it is good for and whose it is; counts it, where it is.
 * @throws RateLimitedError beyond {@link VERIFICATIONS_PER_MINUTE} of the caller */
export const verifyApiKey = Object.assign(
  async (ctx: Context, input: VerifyApiKeyInput): Promise<ApiKeyVerification> => {
    const retryAfter = await countAgainst(ctx, 'verify', VERIFICATIONS_PER_MINUTE);
    if (retryAfter !== undefined) throw new RateLimitedError(retryAfter);
    return verify(ctx, input);
  },
  { permission: verify.permission },
);
