/** Files on the thread that reads them: one after the other, and whatever happens to it happens to nobody else. */
import { expect, it } from 'vitest';
import { openChunk, sealChunk } from '../../../src/features/imports/chunks.ts';
import { takeIn } from '../../../src/features/imports/take-in.ts';
import { createVault } from '../../../src/security/secrets.ts';

const file = (lines: readonly string[]) => new TextEncoder().encode(lines.join('\n'));
const people = (count: number) => file(['email', ...Array.from({ length: count }, (_, at) => `user${at}@example.com`)]);

it('takes a file over, and gives back its lines and what they take', async () => {
  const content = file(['email,email_verified,roles', 'a@example.com,TRUE,', 'b@example.com,FALSE,x', 'c@example.com,FALSE,']);
  const { lines, permissions, chunks } = await takeIn(content);
  expect([lines, permissions]).toEqual([3, ['update:user_contacts']]); // The second is rejected: it names no organization.
  expect(content.byteLength).toBe(0);
  const vault = createVault(Buffer.alloc(32, 7));
  expect(chunks.flatMap((chunk) => openChunk(vault, sealChunk(vault, chunk)))).toMatchObject([
    { line: 2, row: { email: 'a@example.com', isEmailVerified: true } },
    { line: 3, issues: [{ code: 'missing_organization' }] },
    { line: 4, row: { email: 'c@example.com' } },
  ]);
});

it('takes in several in their order, those too that come after a bad one', async () => {
  const ended: number[] = [];
  const files = [people(1500), file(['name', 'x']), people(1), people(600)];
  const results = await Promise.allSettled(files.map((content, at) => takeIn(content).finally(() => ended.push(at))));
  expect(ended).toEqual([0, 1, 2, 3]);
  expect(results).toMatchObject([
    { value: { lines: 1500, chunks: { length: 3 } } },
    { reason: { code: 'MISSING_HEADER', inputPath: ['file'] } },
    { value: { lines: 1, chunks: { length: 1 } } },
    { value: { lines: 600, chunks: { length: 2 } } },
  ]);
});

it('refuses what there is no memory for, and goes on', async () => {
  await expect(takeIn(people(300_000), { maxOldGenerationSizeMb: 24 })).rejects.toMatchObject({
    code: 'FILE_TOO_LARGE',
    inputPath: ['file'],
  });
  expect(await takeIn(people(1))).toMatchObject({ lines: 1 });
});
