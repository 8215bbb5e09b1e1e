// `npm run test:all`: the long suites (npm test has the rest). Two files at a time, and then one at a time those whose
// figures or bounds would be others on a machine that somebody else uses as well.
import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import quick, { chaos, long } from './vitest.config.ts';

/** They measure, load the machine on their own, or hold processes to within seconds of what a quiet machine takes. */
const alone = [
  'test/compare.long.test.ts',
  'test/compare-faults.long.test.ts',
  'test/compare-generator.test.ts',
  'test/edge.long.test.ts',
  'test/fault-frozen.test.ts',
  'test/fault-kill.test.ts',
  'test/fault-stop-held.test.ts',
  'test/flip.long.test.ts',
  'test/kafka-principals.long.test.ts',
  'test/keys.long.test.ts',
  'test/ladder.long.test.ts',
  'test/operators.long.test.ts',
  'test/overload.long.test.ts',
  'test/rehearse/alarms/alarms.long.test.ts',
  'test/rehearse/ladder/defects.long.test.ts',
  'test/rehearse/ladder/ladder.long.test.ts',
  'test/rehearse/share/share.long.test.ts',
  'test/rehearse/store/store.long.test.ts',
  'test/replicas.test.ts',
  'test/service-keys.long.test.ts',
  'test/sessions.long.test.ts',
  'test/store-move.long.test.ts',
  'test/shadow-traces.long.test.ts',
  'test/shadow.long.test.ts',
  'src/banyan/calls/remote.test.ts',
  'src/banyan/events/outbox.test.ts',
  'src/banyan/placement/follower.test.ts',
  'src/banyan/placement/sync.test.ts',
  'src/banyan/servers/kills.long.test.ts',
  'src/banyan/servers/move.long.test.ts',
  'src/banyan/supervisor/supervisor.test.ts',
];

// One that was moved would be calm, and nobody would know.
for (const file of alone)
  if (!existsSync(new URL(file, import.meta.url)))
    throw new Error(
      `vitest.long.config.ts: ${file} is not there: name the file that it has become, or leave it out`,
    );

const { globalSetup, sequence, reporters, ...common } = quick.test!;
const shared = { ...common, testTimeout: 600_000, hookTimeout: 120_000 };
const others = [...chaos, '**/node_modules/**'];

export default defineConfig({
  test: {
    globalSetup,
    sequence,
    reporters,
    // Some change the roles of their server, and some need many connections: each worker has a server of its own.
    provide: { servers: 2 },
    projects: [
      { test: { ...shared, name: 'calm', include: long, exclude: [...alone, ...others] } },
      {
        test: {
          ...shared,
          name: 'alone',
          include: alone,
          exclude: others,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
