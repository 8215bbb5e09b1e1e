// What a module gets for nothing: a saga that is a table of steps and one line of `setup`.
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { defineContract } from '../contract/contract.ts';
import { provision } from '../postgres/provision.ts';
import { roleUrl } from '../postgres/roles.ts';
import { silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { defineSaga, type Reply } from '../saga/definition.ts';
import type { Engine } from '../saga/engine.ts';
import { sagaTables } from '../saga/tables.ts';
import { runRolledBack } from '../store/rolled-back.ts';
import type { Store } from '../store/store.ts';
import { type Count, createMetrics } from '../telemetry/metrics.ts';
import { noTracing } from '../telemetry/tracing.ts';
import { bootModule } from './boot-module.ts';
import { defineModule, type Kit, type Module } from './module.ts';

const secret = 'a secret of this test';
const metrics = createMetrics('monolith');
const contract = defineContract('trips', { summary: 'Books trips', operations: {} });

const done: Reply = { outcome: 'done', where: 'somewhere' };
const table = defineSaga<{ readonly to: string }>({
  steps: [
    { name: 'book-train', by: 'trains', deadlineMs: 10_000, ask: async () => done },
    { name: 'settle', pivot: true, deadlineMs: 5_000, change: async () => done },
  ],
  otherwise: [],
});

let server: ThrowawayServer;
let url: string;

beforeAll(async () => {
  server = await throwawayServer();
  const adminUrl = await server.database();
  const trips = { schema: 'trips', role: 'banyan_trips', ddl: sagaTables() };
  await provision({ adminUrl, secret, modules: [], schemas: [trips], moduleDdl: () => '', log: silent });
  url = roleUrl(adminUrl, secret, trips.role);
}, 60_000);
afterAll(() => server?.stop());

function boot(module: Module, placements: unknown = undefined) {
  const nowhere = undefined as never;
  return bootModule(module, {
    hostId: 'monolith',
    log: silent,
    databaseUrl: url,
    schemaUrl: nowhere,
    placements: placements as never,
    remote: nowhere,
    local: new Map(),
    codec: false,
    strict: true,
    eventLog: {} as never,
    contracts: [contract],
    tracing: noTracing,
    metrics,
  });
}

test('a saga of the kit is counted, driven to its end, and closed', async () => {
  let store!: Store;
  let engine!: Engine<{ readonly to: string }>;
  const running = boot(
    defineModule({
      contract,
      setup(kit) {
        store = kit.store;
        engine = kit.saga(table);
        return { operations: {} };
      },
    }),
  );
  const id = v7();
  await store.transaction(async (tx) => {
    const at = new Date().toISOString();
    const style = await engine.styleIn(tx);
    engine.begin(tx, id, {
      style,
      step: 'plan',
      at,
      because: { id: v7() },
      data: { to: 'Rome' },
      ending: null,
    });
  });
  expect(await metrics.registry.metrics()).toMatch(
    /^banyan_sagas_open\{style="orchestration",step="book-train",state="running",module="trips"[^}]*\} 1$/m,
  );
  expect(await metrics.registry.metrics()).toMatch(
    /^banyan_sagas_begun_total\{module="trips",style="orchestration",host="monolith"\} 1$/m,
  );
  const task = running.tasks.find(({ name }) => name === 'coordinate')!;
  await task.start();
  await vi.waitFor(async () => expect(await engine.open(id)).toBeUndefined(), 10_000);
  expect((await engine.timeline(id)).map(({ step }) => step)).toEqual(['plan', 'book-train', 'settle']);
  await task.stop();
  await running.close();
});

test('a second saga of one module is refused where it is set up', () => {
  const module = defineModule({
    contract,
    setup(kit) {
      kit.saga(table);
      kit.saga(table);
      return { operations: {} };
    },
  });
  expect(() => boot(module)).toThrow(/^trips has a saga already.*a module of its own/);
});

test('two jobs of one name are refused', () => {
  const job = { name: 'sweep', everyMs: 1000, run: async () => false };
  const module = defineModule({ contract, setup: () => ({ operations: {}, jobs: [job, job] }) });
  expect(() => boot(module)).toThrow('trips has two jobs of the name sweep');
});

test('a number of the module’s own is under /metrics from the start, under the module’s name, and of no trial', async () => {
  let lost!: Count;
  const setup = (kit: Kit) => {
    lost = kit.counter('trips_lost_total', 'Trips that were lost', { on: ['road', 'rail'] });
    expect(() => kit.counter('lost_total', 'Trips')).toThrow(
      'trips counts lost_total: begin the name with trips_',
    );
    return { operations: {} };
  };
  const running = boot(defineModule({ contract, setup }));
  lost({ on: 'road' });
  await runRolledBack(async () => lost({ on: 'rail' }));
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/^trips_lost_total\{on="road",host="monolith"\} 1$/m);
  expect(text).toMatch(/^trips_lost_total\{on="rail",host="monolith"\} 0$/m);
  await running.close();
});

describe('waking a job', () => {
  const jobs = ['sweep', 'deliver'].map((name) => ({ name, everyMs: 3_600_000, run: async () => false }));

  test('that the module does not have is refused, and told with those that it has', async () => {
    let kit!: Kit;
    const running = boot(
      defineModule({
        contract,
        setup(given) {
          kit = given;
          return { operations: {}, jobs };
        },
      }),
    );
    expect(() => kit.wake('sweeep')).toThrow(
      'trips wakes the job sweeep, which it does not have. Its jobs are: sweep, deliver',
    );
    await running.close();
  });

  test('in a module without jobs is refused', async () => {
    let kit!: Kit;
    const running = boot(
      defineModule({
        contract,
        setup(given) {
          kit = given;
          return { operations: {} };
        },
      }),
    );
    expect(() => kit.wake('sweep')).toThrow(/which it does not have\. It has no jobs$/);
    await running.close();
  });

  test('that it does not have is refused at boot where setup wakes it', () => {
    const module = defineModule({
      contract,
      setup(kit) {
        kit.wake('sweeep');
        return { operations: {}, jobs };
      },
    });
    expect(() => boot(module)).toThrow(/^trips wakes the job sweeep.*sweep, deliver$/);
  });

  test('that it has runs it; so it does when setup wakes it', async () => {
    const runs = new Set<string>();
    let kit!: Kit;
    const running = boot(
      defineModule({
        contract,
        setup(given) {
          kit = given;
          kit.wake('sweep');
          return {
            operations: {},
            jobs: jobs.map((job) => ({
              ...job,
              run: async () => {
                runs.add(job.name);
                return false;
              },
            })),
          };
        },
      }),
    );
    const tasks = running.tasks.filter(({ name }) => jobs.some((job) => job.name === name));
    for (const task of tasks) await task.start();
    await vi.waitFor(() => expect(runs).toEqual(new Set(['sweep', 'deliver'])), 10_000);
    runs.clear();
    kit.wake('deliver');
    await vi.waitFor(() => expect(runs).toContain('deliver'), 10_000);
    for (const task of tasks) await task.stop();
    await running.close();
  });
});

test('nothing is sealed for a module while a host of the version before may have to open it', async () => {
  const current = { modules: { trips: { instances: [{ healthy: true }] } }, monoliths: [{ healthy: true }] };
  let opens!: () => boolean;
  const setup = (kit: Kit) => {
    opens = () => kit.opensSeals('trips');
    return { operations: {} };
  };
  const placements = { current: current as object, subscribe: () => () => {} };
  const running = boot(defineModule({ contract, setup }), placements);
  expect(opens()).toBe(true);
  const older = { healthy: true, legacy: true };
  placements.current = { ...current, monoliths: [older] };
  expect(opens()).toBe(false);
  placements.current = { ...current, modules: { trips: { instances: [older] } } };
  expect(opens()).toBe(false);
  placements.current = { ...current, monoliths: [{ ...older, healthy: false }] };
  expect(opens()).toBe(true);
  await running.close();
});
