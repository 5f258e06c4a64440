/** A proof of work (ALTCHA): a number is to be found whose hash was given, which costs a browser about a second. */
import { createChallenge, extractParams, verifySolution } from 'altcha-lib/v1';
import { epochSeconds, later } from '../../kernel/clock.ts';
import type { Infrastructure } from '../context.ts';
import { isFirstUse } from '../replays/service.ts';

/** The number is below it. */
const MAX_NUMBER = 50_000;
/** How long a page may be open before its form is sent; after that it poses another. */
const CHALLENGE_SECONDS = 1800;

/** JSON for the page's script. It is good for the page `about`, and nothing of it is kept. */
export async function poseProofOfWork({ vault, clock }: Infrastructure, environmentId: string, about: string): Promise<string> {
  const until = String(epochSeconds(clock.now()) + CHALLENGE_SECONDS);
  const hmacKey = keyOf(vault, environmentId);
  return JSON.stringify(await createChallenge({ hmacKey, maxNumber: MAX_NUMBER, params: { about, until } }));
}

/** Is it the solution of a challenge that was posed to this page, is in time, and comes for the first time? */
export async function checkProofOfWork(
  infrastructure: Infrastructure,
  environmentId: string,
  about: string,
  answer: string,
): Promise<boolean> {
  const { vault, clock } = infrastructure;
  if (answer.length > 2000 || !(await verifySolution(answer, keyOf(vault, environmentId), false).catch(() => false))) return false;
  const { about: posedTo, until } = extractParams(answer);
  if (posedTo !== about || !(Number(until) > epochSeconds(clock.now()))) return false;
  const expiresAt = later(clock.now(), CHALLENGE_SECONDS);
  const { signature } = JSON.parse(Buffer.from(answer, 'base64').toString()) as { signature: string };
  return isFirstUse(infrastructure, { environmentId, kind: 'bot check', owner: about, jti: signature, expiresAt });
}

function keyOf(vault: Infrastructure['vault'], environmentId: string): string {
  return vault.mac('bot check', environmentId).toString('hex');
}
