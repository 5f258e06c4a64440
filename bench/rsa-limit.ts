/**
 * `node bench/rsa-limit.ts <seconds>` prints how many RS256 signatures (RSA 2048) a second node:crypto makes on the
 * core it runs on. No issuer of such tokens can be faster.
 */
import { generateKeyPairSync, sign } from 'node:crypto';

const seconds = Number(process.argv[2]);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const token = Buffer.alloc(800, 'a'); // About as long as a token is before it is signed.
const end = performance.now() + seconds * 1000;
let signatures = 0;
for (; performance.now() < end; signatures++) sign('sha256', token, privateKey);
console.log(signatures / seconds);
