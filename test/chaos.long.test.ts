// The small chaos run: every fault at both logs, in an order that the seed gives. Both at once: most of it is waiting.
import { expect, test } from 'vitest';
import { missingForBroker } from '../src/banyan/events/testing/broker.ts';
import { campaign } from './chaos/campaign.ts';
import { judge } from './chaos/checker.ts';
import { cacheDir, type LogKind } from './chaos/ground.ts';

const missing = await missingForBroker(cacheDir);
if (missing) console.warn(`Left out: chaos on Kafka (${missing})`);

test.concurrent.each<LogKind>(['postgres', 'kafka'])(
  'eight faults on the %s log',
  async (log) => {
    if (log === 'kafka' && missing && process.env.CI !== 'true') return;
    const outcome = await campaign({
      log,
      events: 1_000,
      strikes: 1,
      seed: 7,
      say: (line) => console.log(line),
    });
    expect(outcome).toMatchObject({ lost: 0, doubled: 0, inverted: 0, events: 1_000 });
    expect(outcome.recoveries.map((one) => one.times.length)).toEqual(Array(8).fill(1));
  },
  240_000,
);

test('the checker sees what is lost, doubled, inverted, or was never committed', () => {
  const effect = (id: string, key: string, n: number) => ({ id, key, n });
  const committed = new Set(['a1', 'a2', 'a3', 'b1']);
  const good = [effect('a1', 'a', 1), effect('b1', 'b', 1), effect('a2', 'a', 2), effect('a3', 'a', 3)];
  expect(judge(committed, good)).toEqual({ lost: 0, doubled: 0, inverted: 0 });
  expect(judge(committed, good.slice(1))).toEqual({ lost: 1, doubled: 0, inverted: 0 });
  expect(judge(committed, [...good, good[0]!])).toEqual({ lost: 0, doubled: 1, inverted: 0 });
  expect(judge(committed, [...good, effect('x', 'x', 1)])).toEqual({ lost: 0, doubled: 1, inverted: 0 });
  expect(judge(committed, good.toReversed())).toEqual({ lost: 0, doubled: 0, inverted: 2 });
});
