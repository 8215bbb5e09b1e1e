// One fault of each log, by real processes: what the long run does for minutes, in seconds. Both at once: most of it is waiting.
import { describe, expect, test } from 'vitest';
import { missingForBroker } from '../src/banyan/events/testing/broker.ts';
import { campaign } from './chaos/campaign.ts';
import { cacheDir, type LogKind } from './chaos/ground.ts';

const struck = { postgres: "SIGKILL of a consumer's host", kafka: "SIGKILL of the relay's host" };
const missing = await missingForBroker(cacheDir);
if (missing) console.warn(`Left out: one fault of the log on Kafka (${missing})`);

describe.concurrent.each(Object.keys(struck) as LogKind[])('the %s log', (log) => {
  test.skipIf(log === 'kafka' && missing && process.env.CI !== 'true')(
    `${struck[log]}: nothing lost, doubled or inverted`,
    async () => {
      const outcome = await campaign({ log, events: 150, strikes: 1, seed: 1, only: [struck[log]] });
      expect(outcome).toMatchObject({ lost: 0, doubled: 0, inverted: 0, events: 150 });
      expect(outcome.recoveries[0]!.times).toHaveLength(1);
    },
    90_000,
  );
});
