/** Authenticator apps: time-based one-time passwords (RFC 6238) by SHA-1, of six digits, every 30 seconds, as every app makes them. */
import { Secret, TOTP } from 'otpauth';
import { randomBase32 } from '../../kernel/ids.ts';

const STEP_SECONDS = 30;

/** A new key of 160 bits, in base32. */
export function newAuthenticatorKey(): string {
  return randomBase32(32);
}

/** What an app reads from the QR code. */
export function authenticatorUri(key: string, { issuer, account }: { issuer: string; account: string }): string {
  return totp(key, issuer, account).toString();
}

/** The time step whose code this is, of now and one to either side, as clocks differ; undefined for a wrong code. */
export function authenticatorStep(key: string, code: string, now: Date): number | undefined {
  const delta = totp(key).validate({ token: code, timestamp: now.getTime(), window: 1 });
  return delta === null ? undefined : Math.floor(now.getTime() / 1000 / STEP_SECONDS) + delta;
}

function totp(key: string, issuer = '', label = ''): TOTP {
  return new TOTP({ issuer, label, algorithm: 'SHA1', digits: 6, period: STEP_SECONDS, secret: Secret.fromBase32(key) });
}
