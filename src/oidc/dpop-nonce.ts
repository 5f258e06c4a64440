/**
 * Nonces for DPoP proofs (RFC 9449 §8, §9). Each follows from the environment and the time under the server's key: every
 * process knows it, none is kept, and nobody can make one beforehand.
 */
import type { Infrastructure } from '../features/context.ts';
import { sameText } from '../security/secrets.ts';

/** A nonce is given out for so long, and good for as long again. */
export const NONCE_SECONDS = 120;

/** The nonce that is given out now, or so many turns later. */
export function dpopNonce({ clock, vault }: Infrastructure, environmentId: string, later = 0): string {
  const turn = Math.floor(clock.now().getTime() / 1000 / NONCE_SECONDS) + later;
  return vault.mac('DPoP nonce', `${environmentId} ${turn}`).toString('base64url');
}

/** Was it given out lately, if by a process whose clock is ahead of ours? */
export function isDpopNonce(infrastructure: Infrastructure, environmentId: string, nonce: unknown): boolean {
  return typeof nonce === 'string' && [0, -1, 1].some((later) => sameText(nonce, dpopNonce(infrastructure, environmentId, later)));
}
