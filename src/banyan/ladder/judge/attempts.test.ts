// What a second of both sides comes to in work that nobody asks for, by who did it.
import { expect, test } from 'vitest';
import { JobAttempts } from '../../telemetry/job-attempts.ts';
import { AttemptsOfJobs } from './attempts.ts';

const LONG_AGO = '2026-01-01T00:00:00.000Z';

test('attempts are those of the side that made them, since the reading before', () => {
  const [monolith, service] = [new JobAttempts(), new JobAttempts()];
  const seen = new AttemptsOfJobs('parcels');
  const near = { host: 'one', since: LONG_AGO };
  const far = { host: 'two', since: LONG_AGO, isFar: true };
  const second = () =>
    seen.second([
      { ...near, attempts: monolith.read() },
      { ...far, attempts: service.read() },
    ]);
  monolith.note('parcels', true);
  expect(second()).toEqual({ near: { n: 0, bad: 0 }, far: { n: 0, bad: 0 } });
  monolith.note('parcels', false);
  monolith.note('depots', true);
  service.note('parcels', true);
  service.note('parcels', false);
  expect(second()).toEqual({ near: { n: 1, bad: 0 }, far: { n: 2, bad: 1 } });
  expect(second()).toEqual({ near: { n: 0, bad: 0 }, far: { n: 0, bad: 0 } });
  // A process that began since then, and one of the version before, which says nothing of it.
  const fresh = new JobAttempts();
  fresh.note('parcels', true);
  const since = new Date(Date.now() + 1_000).toISOString();
  expect(seen.second([{ host: 'three', since, isFar: true, attempts: fresh.read() }, near])).toEqual({
    near: { n: 0, bad: 0 },
    far: { n: 1, bad: 1 },
  });
});
