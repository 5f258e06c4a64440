/** What a page's script does about the challenge that the page comes with. */
import { solveChallenge } from 'altcha-lib/v1';
import type { TestApp } from '../helpers/app.ts';
import type { PageView } from '../helpers/user-agent.ts';
import { productionEnvironment } from './person.ts';

export const NO_PROOF = 'We could not make sure that you are not a program. Try again.';

export function challengeIn(page: PageView): { algorithm: string; challenge: string; salt: string; maxnumber: number; signature: string } {
  const attribute = /data-challenge="([^"]+)"/.exec(page.html)?.[1];
  if (!attribute) throw new Error(`There is no challenge on ${page.url}.`);
  return JSON.parse(attribute.replaceAll('&quot;', '"').replaceAll('&#34;', '"').replaceAll('&amp;', '&'));
}

export async function solve(page: PageView, changes: object = {}): Promise<string> {
  const { algorithm, challenge, salt, maxnumber, signature } = challengeIn(page);
  const solution = await solveChallenge(challenge, salt, algorithm, maxnumber).promise;
  return Buffer.from(JSON.stringify({ algorithm, challenge, number: solution!.number, salt, signature, ...changes })).toString('base64');
}

/** Says how people are told from programs, in the row itself. */
export async function botCheckIs(gatehouse: TestApp, botCheck: 'off' | 'proof_of_work'): Promise<void> {
  const { id } = await productionEnvironment(gatehouse);
  await gatehouse.app.infrastructure.database.prisma.environment.update({ where: { id }, data: { botCheck } });
  gatehouse.app.infrastructure.lookups.forget();
}
