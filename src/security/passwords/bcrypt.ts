/**
 * bcrypt (Provos and Mazières 1999). `$2a$`, `$2b$` and `$2y$` are one algorithm here: they differ only in faults of
 * old implementations. Bytes of a password after the 72nd do not count.
 */
import { verify } from '@node-rs/bcrypt';
import type { PasswordFormat } from './passwords.ts';

/** Costs up to 16, about four seconds: a hash of cost 31 would hold one of libuv's threads for days. */
const SHAPE = /^\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}$/;

/** Of about a quarter of a second; what is common is 10 to 12. */
const QUICK_COST = 12;

/** bcrypt; runs on libuv's threads. */
export const bcrypt: PasswordFormat = {
  method: 'bcrypt',
  accepts: ({ hash }) => (SHAPE.test(hash) ? undefined : 'invalid_hash'),
  isSlow: ({ hash }) => Number(SHAPE.exec(hash)?.[1]) > QUICK_COST,
  verify: ({ hash }, password) => verify(password, hash),
};
