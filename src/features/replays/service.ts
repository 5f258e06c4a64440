/** JWTs that somebody else signed, and other proofs, that are good once: their `jti` is kept for as long as they could come again. */
import { sha256 } from '../../security/secrets.ts';
import type { Infrastructure } from '../context.ts';

export interface Use {
  readonly environmentId: string;
  /** What the JWT is, and whose: the same `jti` of somebody else is another one. */
  readonly kind: 'client assertion' | 'DPoP proof' | 'bot check' | 'portal link';
  readonly owner: string;
  readonly jti: string;
  /** From then on the JWT is refused anyway. */
  readonly expiresAt: Date;
}

/** Is this the first use? Of any number at once, at any number of servers, one is. */
export async function isFirstUse({ database }: Infrastructure, { environmentId, kind, owner, jti, expiresAt }: Use): Promise<boolean> {
  const rows = await database.query(
    'use-jti',
    'INSERT INTO used_jtis (environment_id, hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1',
    [environmentId, sha256(JSON.stringify([kind, owner, jti])), expiresAt],
  );
  return rows.length === 1;
}

/** Forgets what cannot come again, in one small batch. Returns the number of rows. */
export async function deleteExpiredUses({ database, clock }: Infrastructure, batch = 1000): Promise<number> {
  const rows = await database.query(
    'delete-used-jtis',
    'DELETE FROM used_jtis WHERE (environment_id, hash) IN (SELECT environment_id, hash FROM used_jtis WHERE expires_at < $1 LIMIT $2) RETURNING 1',
    [clock.now(), batch],
  );
  return rows.length;
}
