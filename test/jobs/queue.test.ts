/** What the job queue leaves in the log. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { errorLog } from '../../src/jobs/queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an error that every worker meets is written once a minute, with how often; another one is written beside it', () => {
  const written: object[] = [];
  const meet = errorLog({ error: (entry: object) => void written.push(entry) });
  const away = (worker: number) => Object.assign(new Error(`connect ECONNREFUSED (Worker: ${worker})`), { code: 'ECONNREFUSED' });
  const [first, other] = [away(0), new Error('relation does not exist')];
  meet(first);
  for (let worker = 1; worker <= 34; worker++) meet(away(worker));
  meet(other);
  expect(written).toEqual([{ err: first }, { err: other }]);

  vi.advanceTimersByTime(60_000);
  expect(written.splice(0)).toEqual([{ err: first }, { err: other }, { code: 'ECONNREFUSED', again: 34, seconds: 60 }]);
  const later = away(1);
  meet(later);
  expect(written).toEqual([{ err: later }]);
});
