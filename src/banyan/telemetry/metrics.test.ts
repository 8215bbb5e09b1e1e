// What a scrape hears: of modules that measure the same thing each for itself, of somebody who does not answer, of what
// has not happened yet.
import { expect, test } from 'vitest';
import { libraryProblem } from '../contract/problem.ts';
import { createMetrics } from './metrics.ts';
import { inTime } from './reading.ts';

test('a gauge that two register has the readings of both', async () => {
  const metrics = createMetrics('monolith');
  for (const [module, value] of [
    ['orders', 3],
    ['trips', 4],
  ] as const)
    metrics.gauge('open', 'What is open', ['module'], () => [{ labels: { module }, value }]);
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/^open\{module="orders",.*\} 3$/m);
  expect(text).toMatch(/^open\{module="trips",.*\} 4$/m);
});

test('one that fails has no values, and the others have theirs', async () => {
  const metrics = createMetrics('monolith');
  metrics.gauge('gone', 'Fails', [], async () => Promise.reject(new Error('the store does not answer')));
  metrics.gauge('open', 'What is open', [], () => {
    throw new Error('at once');
  });
  metrics.gauge('open', 'What is open', ['module'], () => [{ labels: {}, value: 1 }]);
  const text = await metrics.registry.metrics();
  expect(text).not.toMatch(/^gone\{/m);
  expect(text).toMatch(/^open\{host="monolith"\} 1$/m);
});

test('one that hangs is asked once, and holds nobody up; when it answers it is asked again', async () => {
  let asked = 0;
  const hanging: ((samples: []) => void)[] = [];
  const read = inTime(() => {
    asked += 1;
    return new Promise((resolve) => hanging.push(resolve));
  }, 5);
  expect(await Promise.all([read(), read()])).toEqual([[], []]);
  expect(await read()).toEqual([]);
  expect(asked).toBe(1);
  hanging[0]!([]);
  await new Promise((resolve) => setImmediate(resolve));
  await read();
  expect(asked).toBe(2);
});

test('a counter has its series before anything happened, and is one whoever asks for it', async () => {
  const metrics = createMetrics('monolith');
  const ended = { outcome: ['done', 'lost'] };
  metrics.counter('trips_ended_total', 'Trips', ended)({ outcome: 'done' });
  metrics.counter('trips_ended_total', 'Trips', ended)({ outcome: 'done' }, 2);
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/^trips_ended_total\{outcome="done",host="monolith"\} 3$/m);
  expect(text).toMatch(/^trips_ended_total\{outcome="lost",host="monolith"\} 0$/m);
});

test('problems are counted by module and code, and what a store refused by the kind of outage', async () => {
  const metrics = createMetrics('monolith');
  metrics.problems.note('parcels', libraryProblem('not-found'));
  const full = Object.assign(new Error('no space left on device'), { code: '53100' });
  const lost = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  for (const cause of [full, full, new Error('insert', { cause: lost }), new TypeError('x')])
    metrics.problems.note('parcels', libraryProblem('unavailable', { cause }));
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/^banyan_problems_total\{module="parcels",code="not-found",status="404",.*\} 1$/m);
  expect(text).toMatch(/^banyan_problems_total\{module="parcels",code="unavailable",status="503",.*\} 4$/m);
  expect(text).toMatch(/^banyan_store_refusals_total\{module="parcels",reason="full",.*\} 2$/m);
  expect(text).toMatch(/^banyan_store_refusals_total\{module="parcels",reason="unreachable",.*\} 1$/m);
});
