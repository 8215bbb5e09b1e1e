// What a host does for a module's leased job: the module has nothing to close, and its leases are given back.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineContract } from '../contract/contract.ts';
import { type Errands, errands, errandsAlone } from '../jobs/queue.fixture.ts';
import { silent } from '../postgres/testing.ts';
import { noTracing } from '../telemetry/tracing.ts';
import { bootModule } from './boot-module.ts';
import { defineModule } from './module.ts';

let table: Errands;

beforeAll(async () => {
  table = await errandsAlone();
}, 60_000);
afterAll(() => table?.close());

const contract = defineContract('shop', {
  summary: 'Runs errands',
  operations: {},
});

test('the close of a module gives back what its job has in work', async () => {
  const begun = Promise.withResolvers<void>();
  const shop = defineModule({
    contract,
    setup: (kit) => ({
      operations: {},
      jobs: [
        kit.leasedJob({
          name: 'run',
          table: errands,
          atOnce: 4,
          leaseMs: 60_000,
          waits: { firstMs: 60_000, longestMs: 60_000 },
          work: (_job, signal) => {
            begun.resolve();
            return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          },
        }),
      ],
    }),
  });
  const nowhere = undefined as never;
  const running = bootModule(shop, {
    hostId: 'monolith',
    log: silent,
    databaseUrl: table.url,
    schemaUrl: nowhere,
    placements: nowhere,
    remote: nowhere,
    local: new Map(),
    codec: false,
    strict: true,
    eventLog: {} as never,
    contracts: [contract],
    tracing: noTracing,
  });
  const task = running.tasks.find(({ name }) => name === 'run')!;
  await table.write(['milk']);
  await task.start();
  await begun.promise;
  expect((await table.row('milk')).dueInMs).toBeGreaterThan(30_000);
  await task.stop();
  await running.close();
  expect((await table.row('milk')).dueInMs).toBeLessThanOrEqual(0);
});
