/** What applications let people sign in with, for tests. */
import type { Prisma } from '../../src/db/client.ts';
import type { TestApp } from '../helpers/app.ts';
import { codeIn } from '../helpers/app.ts';
import type { PageView, UserAgent } from '../helpers/user-agent.ts';

/** Changes an application, and says what it is from then on. */
export async function setApplication(gatehouse: TestApp, change: Prisma.ApplicationUpdateManyMutationInput): Promise<void> {
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.application.updateMany({ where: { id: `app_${gatehouse.application('spa').clientId}` }, data: change });
  gatehouse.app.infrastructure.lookups.forget();
}

let numbers = 0;

/** A number that nobody has had before, as Australians write it, and in E.164. */
export function newNumber(): { typed: string; number: string } {
  const line = String(10_000 + numbers++).slice(-4);
  return { typed: `0491 57${line[0]} ${line.slice(1)}`, number: `+6149157${line}` };
}

/** Types a number, and leads to the page that comes next. */
export function typeNumber(agent: UserAgent, page: PageView, typed: string, country = 'AU'): Promise<PageView> {
  return agent.submit(page, 'identify', { p_phone_country: country, p_phone: typed });
}

/** Types the code that was texted to `number` after the first `after` ones. */
export async function typeTextedCode(gatehouse: TestApp, agent: UserAgent, page: PageView, number: string, after = 0): Promise<PageView> {
  return agent.submit(page, 'code', { p_confirmation_code: codeIn(await gatehouse.mailTo(number, { after })) });
}
