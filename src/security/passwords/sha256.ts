/** SHA-256 as 64 hex digits, salted or not. */
import { saltedDigest } from './salted-digest.ts';

/** SHA-256. */
export const sha256 = saltedDigest('sha256', 32);
