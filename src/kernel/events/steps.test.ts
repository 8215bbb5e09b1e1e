// A host is killed at each named step of its relay and of its inbox in turn; another one goes on. Every event
// takes effect once, in order, and so does what its listener published.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { InboxStep } from './effect.ts';
import type { RelayStep } from './relay.ts';
import { openServer, type TestServer } from './testing/server.ts';
import { byKey, openStand, until } from './testing/stand.ts';

const relaySteps: RelayStep[] = ['before-claim', 'after-claim', 'after-produce', 'after-finish'];
const inboxSteps: InboxStep[] = [
  'before-effect',
  'after-take',
  'after-effect',
  'after-commit',
  'before-offset',
  'after-offset',
];
const keys = ['a', 'b', 'c'];
const rounds = 5;

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
}, 60_000);
afterAll(() => server.stop());

test.each([...relaySteps, ...inboxSteps])(
  'killed %s: nothing lost, doubled or inverted',
  async (step) => {
    const stand = await openStand(server.url);
    try {
      const host = stand.host({ hostId: 'heir' });
      for (let n = 1; n <= rounds; n += 1) await host.sell(...keys.map((orderId) => ({ orderId, n })));
      const victim = spawn(
        process.execPath,
        [join(import.meta.dirname, 'testing/victim.ts'), stand.url, step],
        {
          stdio: 'inherit',
        },
      );
      const [, signal] = await once(victim, 'exit');
      expect(signal).toBe('SIGKILL');

      const began = Date.now();
      await host.start();
      const total = keys.length * rounds;
      await until('every event has its effect', async () => (await stand.effects()).length >= total);
      const recovery = Date.now() - began;
      await until('every answer is sent', async () => {
        const [row] = await stand.query<{ n: number }>('SELECT count(*)::int AS n FROM till.event_sent');
        return row!.n >= total;
      });
      const expected = Array.from({ length: rounds }, (_, n) => n + 1);
      expect(byKey(await stand.effects())).toEqual(Object.fromEntries(keys.map((key) => [key, expected])));
      const sequences = await stand.query<{ key: string; sequences: number[] }>(
        'SELECT key, array_agg(sequence::int ORDER BY sequence) AS sequences FROM till.event_sent GROUP BY key ORDER BY key',
      );
      expect(sequences).toEqual(keys.map((key) => ({ key, sequences: expected })));
      expect(recovery, 'the lease and the partitions of the dead are free at once').toBeLessThan(7_000);
    } finally {
      await stand.close();
    }
  },
  60_000,
);
