// A coordinator that is not alone, is stopped, fails, or meets a step that it does not know. The saga is a trip that
// books a train and a room; on a real server.
import { v7 } from 'uuid';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { currentFlow } from '../context/call.ts';
import { createJobTask } from '../jobs/loop.ts';
import { WorkerPool } from '../jobs/worker-pool.ts';
import { provision } from '../postgres/provision.ts';
import { roleUrl } from '../postgres/roles.ts';
import { silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createStore, type OpenStore } from '../store/create.ts';
import type { Transaction } from '../store/store.ts';
import { defineSaga, type Reply, type Saga, type Step } from './definition.ts';
import { Engine } from './engine.ts';
import { sagaTables } from './tables.ts';

interface Trip {
  readonly to: string;
}

const secret = 'a secret of this test';
const done: Reply = { outcome: 'done', where: 'somewhere' };
let asked: string[];
/** What the rooms answer, and the buses, of which one version alone knows. */
let room: () => Promise<Reply>;
let bus: () => Promise<Reply>;

const step = (name: string, by: string, answer: () => Promise<Reply>, rest: Partial<Step<Trip>> = {}) =>
  ({
    name,
    by,
    deadlineMs: 60_000,
    ask: () => {
      asked.push(name);
      return answer();
    },
    ...rest,
  }) as Step<Trip>;

const train = step('book-train', 'trains', async () => done, {
  undo: { name: 'cancel-train', by: 'trains', deadlineMs: 60_000, ask: async () => done },
});
const hotel = step('book-room', 'rooms', () => room(), { pivot: true });
const otherwise = [
  { name: 'give-up', deadlineMs: 60_000, change: async (): Promise<Reply> => ({ ...done, where: null }) },
];
const saga = defineSaga<Trip>({ steps: [train, hotel], otherwise });
const withBus = defineSaga<Trip>({
  steps: [train, step('book-bus', 'buses', () => bus(), { askAgainMs: 200 }), hotel],
  otherwise,
});

let server: ThrowawayServer;
let store: OpenStore<undefined>;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await throwawayServer();
  const adminUrl = await server.database();
  const trips = { schema: 'trips', role: 'banyan_trips', ddl: sagaTables() };
  await provision({ adminUrl, secret, modules: [], schemas: [trips], moduleDdl: () => '', log: silent });
  store = createStore({
    module: 'trips',
    url: roleUrl(adminUrl, secret, trips.role),
    prisma: () => undefined,
    publisher: { check: () => ({ id: v7(), row: undefined }), write: () => [] },
    onCommit: () => {},
    strict: true,
    log: silent,
  });
});
afterAll(async () => {
  await store.close();
  await server.stop();
});
beforeEach(() => {
  asked = [];
  room = async () => done;
  bus = async () => done;
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

/** One host's coordinator. `runs`: its job looks for what is due; else the test tells it when to look. */
function coordinator(table: Saga<Trip> = saga, runs = true) {
  const workers = new WorkerPool({
    name: 'trips/coordinate',
    limit: 8,
    wake: () => task.wake(),
    log: silent,
  });
  const engine = new Engine<Trip>({ saga: table, store, workers, log: silent });
  const job = engine.job('coordinate');
  const task = createJobTask(job, silent);
  if (runs) task.start();
  const stop = async () => {
    await task.stop();
    await workers.close();
  };
  running.push({ stop });
  return { engine, stop, look: () => job.run(new AbortController().signal) };
}

async function plan({ engine }: { engine: Engine<Trip> }, to: string): Promise<string> {
  const id = v7();
  const at = new Date().toISOString();
  const because = { id: v7() };
  await store.transaction(async (tx) =>
    engine.begin(tx, id, { style: 'orchestration', step: 'plan', at, because, data: { to }, ending: null }),
  );
  return id;
}

interface Looked extends Record<string, unknown> {
  readonly attempts: number;
  readonly trouble: string | null;
  readonly waits: number;
  readonly due: boolean;
}
async function rowOf(id: string): Promise<Looked> {
  const { rows } = await store.sql.query<Looked>(
    `SELECT attempts, trouble, due_at <= now() AS due,
       round(extract(epoch FROM due_at - updated_at) * 1000)::int AS waits FROM sagas WHERE id = $1`,
    [id],
  );
  return rows[0]!;
}
const isAsked = (name: string) => vi.waitFor(() => expect(asked).toContain(name), 10_000);
const isOver = (engine: Engine<Trip>, id: string) =>
  vi.waitFor(async () => expect(await engine.open(id)).toBeUndefined(), 10_000);
const steps = async (engine: Engine<Trip>, id: string) =>
  (await engine.timeline(id)).map(({ step, status }) => `${step} ${status}`);

test('called off while a step is asked, the answer that comes afterwards changes nothing', async () => {
  const answered = Promise.withResolvers<Reply>();
  room = () => answered.promise;
  const { engine, stop } = coordinator();
  const id = await plan({ engine }, 'Rome');
  await isAsked('book-room');
  expect(await store.transaction((tx) => engine.requestCancel(tx, id, 'changed their mind'))).toBe(
    'called-off',
  );
  answered.resolve(done);
  await isOver(engine, id);
  await stop();
  expect(await steps(engine, id)).toEqual([
    'plan done',
    'book-train done',
    'cancel-train done',
    'give-up done',
  ]);
});

test('a host that was frozen while another went on changes nothing when it wakes', async () => {
  const woken = Promise.withResolvers<Reply>();
  room = () => woken.promise;
  const frozen = coordinator(saga, false);
  const id = await plan(frozen, 'Cork');
  await frozen.look();
  await isAsked('book-room');
  room = async () => done;
  const { engine } = coordinator();
  // As if its lease had ended.
  await store.sql.query('UPDATE sagas SET due_at = now() WHERE id = $1', [id]);
  await isOver(engine, id);
  woken.resolve({ outcome: 'refused', where: null, why: 'full' });
  await frozen.stop();
  expect(await engine.open(id)).toBeUndefined();
  expect(await steps(engine, id)).toEqual(['plan done', 'book-train done', 'book-room done']);
});

test('of an answer and a calling-off at once the second waits for the first, and comes too late', async () => {
  room = async () => ({ outcome: 'pending', where: null });
  const { engine } = coordinator();
  const id = await plan({ engine }, 'Oslo');
  await isAsked('book-room');
  const committed = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const answer = store.transaction(async (tx) => {
    await engine.signal(tx, id, 'book-room', done);
    told.resolve();
    await committed.promise;
  });
  await told.promise;
  const cancelling = store.transaction((tx) => engine.requestCancel(tx, id, 'changed their mind'));
  await vi.waitFor(async () => expect(await waitingForLocks()).toBe(1), 10_000);
  committed.resolve();
  await answer;
  expect(await cancelling).toBe('too-late');
  expect(await engine.open(id)).toBeUndefined();
  expect(await steps(engine, id)).toEqual(['plan done', 'book-train done', 'book-room done']);
});

async function waitingForLocks(): Promise<number> {
  const { rows } = await store.sql.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = current_user AND wait_event_type = 'Lock'`,
  );
  return rows[0]!.n;
}

test('a coordinator that stops gives the step in work back at once, and another goes on', async () => {
  room = () =>
    new Promise((_, reject) => {
      currentFlow()!.signal!.addEventListener('abort', () => reject(new Error('broken off')));
    });
  const first = coordinator();
  const id = await plan(first, 'Bern');
  await isAsked('book-room');
  expect(await rowOf(id)).toMatchObject({ due: false });
  await first.stop();
  expect(await rowOf(id)).toMatchObject({ due: true, trouble: null });
  room = async () => done;
  const { engine } = coordinator();
  await isOver(engine, id);
  expect(await steps(engine, id)).toEqual(['plan done', 'book-train done', 'book-room done']);
});

test('a step that fails is asked again after 100 ms, twice as long each time, 15 s at most', async () => {
  room = async () => {
    throw new Error('no answer');
  };
  const { engine, look } = coordinator(saga, false);
  const id = await plan({ engine }, 'Lima');
  const waits: number[] = [];
  while (waits.length < 9) {
    await store.sql.query('UPDATE sagas SET due_at = now(), trouble = NULL WHERE id = $1', [id]);
    await look();
    const attempts = waits.length + 1;
    await vi.waitFor(
      async () => expect(await rowOf(id)).toMatchObject({ trouble: 'no answer', attempts }),
      10_000,
    );
    waits.push((await rowOf(id)).waits);
  }
  expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000]);
});

test('a step that this version does not know waits, is shown as stuck, and goes on where it is known', async () => {
  bus = async () => ({ outcome: 'pending', where: null });
  const newer = coordinator(withBus);
  const id = await plan(newer, 'Kyiv');
  // A step that is at work is asked again after its `askAgainMs`.
  await vi.waitFor(
    () => expect(asked.filter((name) => name === 'book-bus').length).toBeGreaterThan(2),
    10_000,
  );
  await newer.stop();

  const older = coordinator();
  const trouble = 'This version has no step book-bus on its path forward';
  await vi.waitFor(async () => expect(await rowOf(id)).toMatchObject({ trouble }), 10_000);
  expect(await older.engine.open(id)).toMatchObject({ step: 'book-bus', by: null, trouble });
  expect(await older.engine.stuck(5)).toEqual([]);
  await store.sql.query(`UPDATE sagas SET deadline_at = now() - interval '1 second' WHERE id = $1`, [id]);
  expect(await older.engine.stuck(5)).toMatchObject([{ id, step: 'book-bus', state: 'stuck', trouble }]);
  await older.stop();
  expect(asked).not.toContain('book-room');

  bus = async () => done;
  const { engine } = coordinator(withBus);
  await store.transaction((tx: Transaction) => engine.retryNow(tx, id));
  await isOver(engine, id);
  expect(await steps(engine, id)).toEqual([
    'plan done',
    'book-train done',
    'book-bus done',
    'book-room done',
  ]);
});
