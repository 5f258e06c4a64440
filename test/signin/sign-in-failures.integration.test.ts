/** The one count of failures in a row, asked directly: what every method of signing in relies on. */
import { expect, test } from 'vitest';
import { type Context, createContext } from '../../src/features/context.ts';
import { deleteOldFailures, forgetFailures, type Suspect, tryProof } from '../../src/features/sign-in-failures/service.ts';
import { startApp } from '../helpers/app.ts';
import { newAddress, PASSWORD, productionEnvironment, signIn, signUp, userIdOf } from './person.ts';

const gatehouse = startApp();

async function ground(): Promise<{ ctx: Context; scope: { environmentId: string; businessId: string } }> {
  const { id: environmentId, businessId } = await productionEnvironment(gatehouse);
  const ctx = createContext(gatehouse.app.infrastructure, { kind: 'user', environmentId, userId: undefined });
  return { ctx, scope: { environmentId, businessId } };
}

const suspects: [string, () => Promise<Suspect>][] = [
  ['a user', async () => ({ userId: await userIdOf(gatehouse, (await signUp(gatehouse)).email) })],
  ['an unknown address', async () => ({ address: newAddress() })],
];

test.each(suspects)('%s has five tries, whatever is guessed at, and none while locked', async (_who, make) => {
  const [{ ctx, scope }, suspect] = [await ground(), await make()];
  for (const proof of ['password', 'code', 'recovery_code', 'mfa', 'mfa'] as const)
    expect(await tryProof(ctx, scope, suspect, proof, async () => 'wrong')).toBe('wrong');
  let isAsked = false;
  const check = async () => {
    isAsked = true;
    return 'right' as const;
  };
  expect(await tryProof(ctx, scope, suspect, 'password', check)).toBe('locked');
  expect(isAsked).toBe(false);
  gatehouse.advance(301);
  expect(await tryProof(ctx, scope, suspect, 'password', check)).toBe('right');
});

test.each(suspects)(
  '%s with right proofs in between has no more wrong ones: only the end of a sign-in forgets them',
  async (_who, make) => {
    const [{ ctx, scope }, suspect] = [await ground(), await make()];
    for (let times = 0; times < 4; times++) {
      expect(await tryProof(ctx, scope, suspect, 'password', async () => 'right')).toBe('right');
      expect(await tryProof(ctx, scope, suspect, 'mfa', async () => 'wrong')).toBe('wrong');
    }
    expect(await tryProof(ctx, scope, suspect, 'password', async () => 'right')).toBe('right');
    expect(await tryProof(ctx, scope, suspect, 'mfa', async () => 'wrong')).toBe('wrong');
    expect(await tryProof(ctx, scope, suspect, 'password', async () => 'right')).toBe('locked');
    await forgetFailures(ctx, scope, suspect);
    expect(await tryProof(ctx, scope, suspect, 'password', async () => 'right')).toBe('right');
  },
);

test.each(suspects)('%s gets five wrong answers and no more, however parallel, and with right ones among them', async (_who, make) => {
  const [{ ctx, scope }, suspect] = [await ground(), await make()];
  const answers: string[] = [];
  for (let round = 0; round < 5; round++) {
    const guesses = Array.from({ length: 20 }, (_, index) =>
      tryProof(ctx, scope, suspect, 'mfa', async () => (index % 4 === 0 ? 'right' : 'wrong')),
    );
    answers.push(...(await Promise.all(guesses)));
  }
  while (answers.at(-1) !== 'locked' || answers.length === 100)
    answers.push(await tryProof(ctx, scope, suspect, 'mfa', async () => 'wrong'));
  expect(answers.filter((answer) => answer === 'wrong')).toHaveLength(5);
  expect(await tryProof(ctx, scope, suspect, 'mfa', async () => 'right')).toBe('locked');
});

test('a count follows its environment’s policy, and a lock is written down once', async () => {
  const { ctx, scope } = await ground();
  const { email } = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, email);
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.environment.update({ where: { id: scope.environmentId }, data: { maxFailures: 2, lockSeconds: 3600 } });
  for (const suspect of [{ userId }, { address: newAddress() }]) {
    const answers = [];
    for (let times = 0; times < 3; times++) answers.push(await tryProof(ctx, scope, suspect, 'code', async () => 'wrong'));
    expect(answers).toEqual(['wrong', 'wrong', 'locked']);
  }
  gatehouse.advance(3500);
  expect((await signIn(gatehouse, email, { password: PASSWORD })).page.status).toBe(429);
  await prisma.environment.update({ where: { id: scope.environmentId }, data: { maxFailures: 5, lockSeconds: 300 } });
  const written = (action: string) => prisma.auditEvent.findMany({ where: { targetId: userId, action } });
  await expect.poll(async () => (await written('user.authentication_failed')).length, { timeout: 10_000 }).toBe(2);
  expect(await written('user.locked')).toMatchObject([{ details: { seconds: 3600 } }]);
});

test('a right try that reached the number leaves no lock and no word of one', async () => {
  const { ctx, scope } = await ground();
  const userId = await userIdOf(gatehouse, (await signUp(gatehouse)).email);
  for (let times = 0; times < 4; times++) await tryProof(ctx, scope, { userId }, 'password', async () => 'wrong');
  expect(await tryProof(ctx, scope, { userId }, 'password', async () => 'right')).toBe('right');
  const { prisma } = gatehouse.app.infrastructure.database;
  const count = (action: string) => prisma.auditEvent.count({ where: { targetId: userId, action } });
  await expect.poll(() => count('user.authentication_failed'), { timeout: 10_000 }).toBe(4);
  expect(await count('user.locked')).toBe(0);
  expect(await tryProof(ctx, scope, { userId }, 'password', async () => 'right')).toBe('right');
});

test('counts of addresses stay a day after the last failure, and then leave', async () => {
  const { ctx, scope } = await ground();
  const address = newAddress();
  const { prisma } = gatehouse.app.infrastructure.database;
  const count = () => prisma.addressFailure.count({ where: { address } });
  await tryProof(ctx, scope, { address }, 'code', async () => 'wrong');
  await deleteOldFailures(ctx);
  expect(await count()).toBe(1);
  gatehouse.advance(24 * 3600 + 1);
  await deleteOldFailures(ctx);
  expect(await count()).toBe(0);
});
