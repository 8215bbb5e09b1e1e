// A host is killed at each named step of its relay and of its inbox in turn; another one goes on (killed.ts).
import { afterAll, beforeAll, test } from 'vitest';
import { killedAt, steps } from './testing/killed.ts';
import { openServer, type TestServer } from './testing/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
}, 60_000);
afterAll(() => server.stop());

test.each(steps)(
  'killed %s: nothing lost, doubled or inverted',
  // The lease and the partitions of the dead are free at once.
  (step) => killedAt(step, server.url, { recoveryMs: 7_000 }),
  60_000,
);
