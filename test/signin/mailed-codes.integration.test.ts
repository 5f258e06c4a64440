/** Attacks that ask for many codes: to guess one of them, or to fill somebody's mailbox. */
import { expect, test } from 'vitest';
import { MAX_MAILS_PER_HOUR } from '../../src/features/sign-in-attempts/service.ts';
import { startApp } from '../helpers/app.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { headingOf, identify, newAddress } from './person.ts';

const gatehouse = startApp();

async function ask(email: string) {
  const { page } = await identify(gatehouse, userAgent(gatehouse.baseUrl), email, { prompt: 'create' }, 'spa');
  return page;
}

test('however many attempts are started at once, an address is mailed so many codes an hour and no more', async () => {
  const email = newAddress('victim');
  const spellings = [email, email.toUpperCase()];
  const pages = await Promise.all(Array.from({ length: MAX_MAILS_PER_HOUR + 10 }, (_, index) => ask(spellings[index % 2]!)));
  expect(pages.filter(({ status }) => status === 200)).toHaveLength(MAX_MAILS_PER_HOUR);
  const refused = pages.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(10);
  expect(refused[0]!.html).toContain('Too many codes were sent there');
  await expect
    .poll(async () => (await Promise.all(spellings.map((spelling) => gatehouse.mailCount(spelling)))).reduce((sum, count) => sum + count), {
      timeout: 20_000,
    })
    .toBe(MAX_MAILS_PER_HOUR);

  expect(headingOf(await ask(newAddress('bystander')))).toBe('Check your mail');
  gatehouse.advance(3601);
  expect(headingOf(await ask(email))).toBe('Check your mail');
});
