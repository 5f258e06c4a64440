/** MD5 as 32 hex digits, salted or not. */
import { saltedDigest } from './salted-digest.ts';

/** MD5. */
export const md5 = saltedDigest('md5', 16);
