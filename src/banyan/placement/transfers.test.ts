// A wish to move a module: carried out once, step by step, whoever is killed meanwhile; it ends with its reason where it cannot be.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Call } from '../context/call.ts';
import { firstOperator } from '../context/principal.ts';
import { startTestServer, type TestServer } from './fixture.ts';
import { controlSchema } from './schema.ts';
import { type ControlStore, createControlStore } from './store.ts';
import { transferHandlers } from './transfer-admin.ts';
import { createTransfers, type Transfers, type TransfersOptions } from './transfers.ts';

const log = pino({ level: 'silent' });
const call = { principal: firstOperator } as Call;
let server: TestServer;
let store: ControlStore;
let running: Transfers[] = [];

beforeAll(async () => {
  server = await startTestServer();
  const { urlOf } = await server.database(controlSchema());
  store = createControlStore({ url: urlOf('banyan_control'), log });
  await store.flags.seed(['parcels', 'depots'], {});
});
afterAll(async () => {
  await store?.close();
  await server?.stop();
});
afterEach(async () => {
  for (const one of running) await one.stop();
  running = [];
});

/** A monolith that does the steps as the test says. */
function monolith(act: Partial<TransfersOptions['act']>, done: string[] = []) {
  const noted =
    (name: string) =>
    async (input: object, { principal }: Call) => {
      done.push(`${name} ${JSON.stringify(input)} by ${(principal as { name: string }).name}`);
    };
  const given = { services: noted('services'), place: noted('place'), climb: noted('climb'), ...act };
  const made = createTransfers({
    store,
    host: randomUUID(),
    act: given as unknown as TransfersOptions['act'],
    log,
  });
  running.push(made);
  return { done, wake: made.wake, stop: made.stop, ...transferHandlers({ store, wake: made.wake }) };
}

/** Answers the transfer when it has come to that step. */
const until = (module: string, step: string, handlers: Pick<ReturnType<typeof monolith>, 'list'>) =>
  vi.waitFor(
    async () => {
      const { items } = (await handlers.list({}, call)) as {
        items: { module: string; step: string; reason: string | null }[];
      };
      const found = items.find((one) => one.module === module);
      expect(found?.step, `the step of ${module}`).toBe(step);
      return found!;
    },
    { timeout: 10_000, interval: 20 },
  );

test('out: processes, then the flip; back: the flip, then none; in the name of who asked', async () => {
  const { start, list, done } = monolith({});
  await start({ module: 'parcels', to: 'service', percent: 10, changedBy: 'ada' }, call);
  await until('parcels', 'done', { list });
  await start({ module: 'parcels', to: 'in-process' }, call);
  await until('parcels', 'done', { list });
  await start({ module: 'parcels', to: 'ladder', ladder: { steps: ['50'] } }, call);
  await until('parcels', 'done', { list });
  expect(done).toEqual([
    'services {"module":"parcels","changedBy":"ada","instances":1,"timeoutMs":30000} by operator',
    'place {"module":"parcels","changedBy":"ada","placement":"canary","percent":10} by operator',
    'place {"module":"parcels","placement":"in-process"} by operator',
    'services {"module":"parcels","instances":0,"timeoutMs":30000} by operator',
    'services {"module":"parcels","instances":1,"timeoutMs":30000} by operator',
    'climb {"module":"parcels","steps":["50"]} by operator',
  ]);
});

test('a module has one at a time; what does not go with the way, and no module, is refused in words', async () => {
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  const { start, list } = monolith({ services: (() => held) as never });
  const refused = (wish: object) =>
    (start(wish as Parameters<typeof start>[0], call) as Promise<unknown>).then(
      () => 'taken',
      (error: { code: string }) => error.code,
    );
  expect(await refused({ module: 'parcels', to: 'service' })).toBe('taken');
  expect(await refused({ module: 'parcels', to: 'in-process' })).toBe('transfer-running');
  expect(await refused({ module: 'depots', to: 'in-process', percent: 5 })).toBe('wish-invalid');
  expect(await refused({ module: 'depots', to: 'service', ladder: {} })).toBe('wish-invalid');
  expect(await refused({ module: 'nothing', to: 'service' })).toBe('module-unknown');
  go();
  await until('parcels', 'done', { list });
});

test('what a step refuses ends it, with the reason', async () => {
  const { start, list } = monolith({
    services: () => Promise.reject(new Error('parcels-1 does not start: exit code 1.')),
  });
  await start({ module: 'parcels', to: 'service' }, call);
  expect(await until('parcels', 'failed', { list })).toMatchObject({
    reason: 'parcels-1 does not start: exit code 1.',
  });
});

test('a process that it started for what was refused is stopped again; one that was there before stays', async () => {
  const refuses = { climb: () => Promise.reject(new Error('parcels is not shadowed.')) };
  const { start, list, done } = monolith(refuses);
  await start({ module: 'parcels', to: 'ladder' }, call);
  await until('parcels', 'failed', { list });
  expect(done).toEqual([
    'services {"module":"parcels","instances":1,"timeoutMs":30000} by operator',
    'services {"module":"parcels","instances":0,"timeoutMs":30000} by operator',
  ]);
  await store.services.want('parcels', 1, null);
  const other = monolith(refuses);
  await other.start({ module: 'parcels', to: 'ladder' }, call);
  await until('parcels', 'failed', other);
  expect(other.done).toEqual(['services {"module":"parcels","instances":1,"timeoutMs":30000} by operator']);
  await store.services.want('parcels', 0, null);
});

test('a ladder that leads nowhere is refused before anything is started; the second who moves hears of the first', async () => {
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  const done: string[] = [];
  const { wake, list } = monolith({ services: (() => held) as never }, done);
  const { start } = transferHandlers({ store, wake, noLadder: async () => 'The steps do not rise.' });
  const refused = (wish: object) =>
    (start(wish as Parameters<typeof start>[0], call) as Promise<unknown>).then(
      () => 'taken',
      (error: Error) => error.message,
    );
  expect(await refused({ module: 'parcels', to: 'ladder', ladder: { steps: [10, 5] } })).toBe(
    'The steps do not rise.',
  );
  expect(done).toEqual([]);
  expect(await refused({ module: 'parcels', to: 'service', changedBy: 'ada' })).toBe('taken');
  expect(await refused({ module: 'parcels', to: 'service' })).toMatch(
    /^parcels is on its way already, to its service: operator \(ada\) began it at 20.*Z, it is starting\.$/,
  );
  go();
  await until('parcels', 'done', { list });
});

test('another monolith goes on at the step that was written, and the first one writes nothing more', async () => {
  let fail: (error: Error) => void = () => {};
  const first = monolith({
    place: () =>
      new Promise((_, reject) => {
        fail = reject;
      }) as never,
  });
  await first.start({ module: 'depots', to: 'service' }, call);
  await until('depots', 'flipping', first);
  await first.stop();
  const second = monolith({});
  second.wake();
  await until('depots', 'done', second);
  expect(second.done).toEqual(['place {"module":"depots","placement":"service"} by operator']);
  fail(new Error('too late'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await until('depots', 'done', second)).toMatchObject({ reason: null });
});
