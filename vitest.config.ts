// `npm test`: what a newcomer runs, in under three minutes. Suites that kill, freeze, wait for brokers or ask
// hundreds of times belong to `npm run test:all`, as does whatever is named *.long.test.ts.
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Minutes each, of faults on real brokers and of a kill at every step of the checkout and of a store's move: `npm run test:chaos`. */
export const chaos = [
  'test/saga-kill.long.test.ts',
  'test/store-kill.long.test.ts',
  'src/banyan/events/**/*.kafka.long.test.ts',
];

export const long = [
  '**/*.long.test.ts',
  'test/bad-input*.test.ts',
  'test/chaos.test.ts',
  'test/entrance.test.ts',
  'test/environment-process.test.ts',
  'test/events*.test.ts',
  'test/fault*.test.ts',
  'test/flip-*.test.ts',
  'test/health.test.ts',
  'test/openapi*.test.ts',
  'test/replicas*.test.ts',
  'test/telemetry*.test.ts',
  'test/compare-generator.test.ts',
  'src/banyan/calls/remote.test.ts',
  'src/banyan/events/**/*.test.ts',
  'src/banyan/http/connections.test.ts',
  'src/banyan/jobs/**/*.test.ts',
  'src/banyan/log/**/*.test.ts',
  'src/banyan/placement/**/*.test.ts',
  'src/banyan/postgres/embedded.test.ts',
  'src/banyan/postgres/engine.test.ts',
  'src/banyan/postgres/module-pool.test.ts',
  'src/banyan/postgres/provision.test.ts',
  'src/banyan/postgres/trial.test.ts',
  'src/banyan/store/**/*.test.ts',
  'src/banyan/supervisor/**/*.test.ts',
  'src/banyan/websocket/**/*.test.ts',
  'src/modules/orders/saga/old-tables.test.ts',
  'src/modules/payments/charging.test.ts',
];

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [...long, ...chaos, '**/node_modules/**'],
    globalSetup: ['test/ground.ts'],
    pool: 'forks',
    // A signal to the whole group reaches a worker as well: it ends the servers of its suite before it is gone.
    execArgv: ['--import', new URL('./scripts/with-npm.mjs', import.meta.url).href],
    // Each suite runs processes of its own; more workers than cores only make them wait for one another.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 40_000,
    // Polls wait for other processes; vitest's own second is too short on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
