// The engine in a module that has nothing of it but a table of steps: a trip that books a train and a room. Driven by
// a coordinator and only watched; on a real server, with the tables that every module's schema gets.
import { v7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Delivery } from '../events/envelope.ts';
import { createJobTask } from '../jobs/loop.ts';
import { WorkerPool } from '../jobs/worker-pool.ts';
import { provision } from '../postgres/provision.ts';
import { roleUrl } from '../postgres/roles.ts';
import { silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createStore, type OpenStore } from '../store/create.ts';
import type { Transaction } from '../store/store.ts';
import { defineSaga, type Reply, type Saga } from './definition.ts';
import { Engine } from './engine.ts';
import { sagaTables } from './tables.ts';

interface Trip {
  readonly to: string;
}

const secret = 'a secret of this test';
const done: Reply = { outcome: 'done', where: 'somewhere' };
let asked: string[];
/** What the rooms answer. */
let room: () => Promise<Reply>;

async function answer(step: string, reply: Reply | Promise<Reply>): Promise<Reply> {
  asked.push(step);
  return reply;
}

const saga: Saga<Trip> = defineSaga<Trip>({
  steps: [
    {
      name: 'book-train',
      by: 'trains',
      deadlineMs: 10_000,
      ask: () => answer('book-train', done),
      undo: {
        name: 'cancel-train',
        by: 'trains',
        deadlineMs: 10_000,
        ask: () => answer('cancel-train', done),
      },
    },
    {
      name: 'book-room',
      by: 'rooms',
      deadlineMs: 20_000,
      ask: () => answer('book-room', room()),
    },
    {
      name: 'settle',
      pivot: true,
      deadlineMs: 5_000,
      change: async (tx, { to }) => {
        await tx.sql.query(`UPDATE trip SET status = 'settled' WHERE destination = $1`, [to]);
        return { outcome: 'done', where: null };
      },
    },
  ],
  otherwise: [
    {
      name: 'give-up',
      deadlineMs: 5_000,
      change: async (tx, { to }) => {
        await tx.sql.query(`UPDATE trip SET status = 'given-up', ended_at = now() WHERE destination = $1`, [
          to,
        ]);
        return { outcome: 'done', where: null };
      },
    },
  ],
  watched: {
    undecided: `SELECT id, began_at AS since FROM trip WHERE status = 'planned' AND style = 'choreography'`,
    endedOtherwise: `SELECT id, ended_at AS since FROM trip WHERE status = 'given-up' AND style = 'choreography'`,
    deadlineMs: 60_000,
  },
});

let server: ThrowawayServer;
let store: OpenStore<undefined>;
let engine: Engine<Trip>;
let stop: () => Promise<void>;

beforeAll(async () => {
  server = await throwawayServer();
  const adminUrl = await server.database();
  const own = `CREATE TABLE IF NOT EXISTS trip (id uuid PRIMARY KEY, destination text NOT NULL, style text,
    status text NOT NULL DEFAULT 'planned', began_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz);`;
  const trips = { schema: 'trips', role: 'banyan_trips', ddl: `${own}\n${sagaTables()}` };
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
  const workers = new WorkerPool({
    name: 'trips/coordinate',
    limit: 8,
    wake: () => task.wake(),
    log: silent,
  });
  engine = new Engine<Trip>({ saga, store, workers, log: silent });
  const task = createJobTask(engine.job('coordinate'), silent);
  task.start();
  stop = () => task.stop().then(() => workers.close());
});
afterAll(async () => {
  await stop();
  await store.close();
  await server.stop();
});
beforeEach(() => {
  asked = [];
  room = async () => done;
});

/** In one transaction with the row that it is about. */
async function plan(to: string, more?: (tx: Transaction) => Promise<void>): Promise<string> {
  const id = v7();
  await store.transaction(async (tx) => {
    const style = await engine.styleIn(tx);
    await tx.sql.query('INSERT INTO trip (id, destination, style) VALUES ($1, $2, $3)', [id, to, style]);
    const because = { id: v7() };
    engine.begin(tx, id, {
      style,
      step: 'plan',
      at: new Date().toISOString(),
      because,
      data: { to },
      ending: null,
    });
    await more?.(tx);
  });
  return id;
}
const over = (id: string) => vi.waitFor(async () => expect(await engine.open(id)).toBeUndefined(), 10_000);
const steps = async (id: string) =>
  (await engine.timeline(id)).map(({ step, status }) => `${step} ${status}`);

describe('driven', () => {
  beforeAll(() => engine.setStyle('orchestration', 'a test'));

  test('goes from its beginning to its end, and each step is noted', async () => {
    const id = await plan('Rome');
    await over(id);
    expect(await steps(id)).toEqual(['plan done', 'book-train done', 'book-room done', 'settle done']);
    expect(asked).toEqual(['book-train', 'book-room']);
  });

  test('says where it stands, whose turn it is and until when', async () => {
    const { promise, resolve } = Promise.withResolvers<Reply>();
    room = () => promise;
    const id = await plan('Oslo');
    await vi.waitFor(() => expect(asked).toContain('book-room'));
    const open = await engine.open(id);
    expect(open).toMatchObject({ driven: true, state: 'running', step: 'book-room', by: 'rooms' });
    expect(open!.deadline.getTime() - open!.since.getTime()).toBeCloseTo(20_000, -3);
    expect(await engine.count()).toEqual([
      { driven: true, step: 'book-room', state: 'running', count: 1, oldestSeconds: expect.any(Number) },
    ]);
    await store.sql.query(`UPDATE sagas SET deadline_at = now() - interval '1 second' WHERE id = $1`, [id]);
    expect(await engine.stuck(5)).toMatchObject([{ id, step: 'book-room', state: 'stuck', by: 'rooms' }]);
    resolve(done);
    await over(id);
    expect(await engine.stuck(5)).toEqual([]);
  });

  test('is taken back where a step is refused', async () => {
    room = async () => ({ outcome: 'refused', where: null, why: 'full' });
    const id = await plan('Bern');
    await over(id);
    expect(await steps(id)).toEqual([
      'plan done',
      'book-train done',
      'book-room failed',
      'cancel-train done',
      'give-up done',
    ]);
  });

  test('never began where the transaction that began it is rolled back', async () => {
    let id: string | undefined;
    const failing = plan('Nowhere', async (tx) => {
      const { rows } = await tx.sql.query(`SELECT id FROM trip WHERE destination = 'Nowhere'`);
      id = rows[0]!.id as string;
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await engine.open(id!)).toBeUndefined();
    expect(await engine.timeline(id!)).toEqual([]);
  });
});

describe('only watched', () => {
  beforeAll(() => engine.setStyle('choreography', 'a test'));

  const hear = (id: string, step: string) =>
    store.transaction((tx) => engine.note(tx, delivery(id), id, { step, status: 'done' }));

  test('stands after the latest step that is known, whichever was heard of first', async () => {
    const id = await plan('Lima');
    expect(await engine.open(id)).toMatchObject({ driven: false, step: 'book-train', by: 'trains' });
    expect(await hear(id, 'book-room')).toBe(true);
    expect(await engine.open(id)).toMatchObject({ step: 'settle', by: null, state: 'waiting' });
    await hear(id, 'book-train');
    expect(await engine.open(id)).toMatchObject({ step: 'settle' });
    await store.sql.query(`UPDATE trip SET status = 'settled' WHERE id = $1`, [id]);
    expect(await engine.open(id)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test('is stuck when nothing was heard of it until its deadline', async () => {
    const id = await plan('Kyiv');
    await store.sql.query(`UPDATE saga_steps SET at = at - interval '1 hour' WHERE saga_id = $1`, [id]);
    expect(await engine.stuck(5)).toMatchObject([{ id, step: 'book-train', state: 'stuck' }]);
    await hear(id, 'book-train');
    expect(await engine.stuck(5)).toEqual([]);
    await hear(id, 'book-room');
    await store.sql.query(`UPDATE trip SET status = 'settled' WHERE id = $1`, [id]);
  });

  test('ended otherwise, it is open until what was done is taken back', async () => {
    const id = await plan('Cork');
    await hear(id, 'book-train');
    await store.sql.query(`UPDATE trip SET status = 'given-up', ended_at = now() WHERE id = $1`, [id]);
    expect(await engine.open(id)).toMatchObject({
      state: 'compensating',
      path: 'undo',
      step: 'cancel-train',
    });
    await hear(id, 'cancel-train');
    expect(await engine.open(id)).toBeUndefined();
  });

  test('what is heard of a driven one is its coordinator’s affair, and is not noted twice', async () => {
    await engine.setStyle('orchestration', 'a test');
    const id = await plan('Graz');
    await over(id);
    expect(await hear(id, 'book-train')).toBe(false);
    expect(await steps(id)).toEqual(['plan done', 'book-train done', 'book-room done', 'settle done']);
  });
});

function delivery(id: string): Delivery {
  const time = new Date().toISOString();
  const from = {
    id: v7(),
    source: '/modules/trains',
    type: 'trains.booked.v1',
    subject: id,
    time,
    sequence: 1,
  };
  const envelope = { ...from, correlationId: id, causationId: null, traceparent: '', data: {} };
  return { envelope, topic: 'trains.events', attempt: 1, replay: false };
}

describe('those that are not over', () => {
  beforeAll(() => engine.setStyle('choreography', 'a test'));

  test('are listed by state, step and age, the stuck ones first, page by page', async () => {
    await store.sql.query('DELETE FROM trip');
    await store.sql.query('DELETE FROM sagas');
    const young = [await plan('Oslo'), await plan('Bern')];
    const old = [await plan('Riga'), await plan('Lima'), await plan('Baku')];
    await store.sql.query(`UPDATE trip SET began_at = now() - interval '1 hour' WHERE id = ANY ($1)`, [old]);
    await store.sql.query(`UPDATE saga_steps SET at = now() - interval '1 hour' WHERE saga_id = ANY ($1)`, [
      old,
    ]);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await engine.list({ limit: 2, cursor });
      seen.push(...page.items.map(({ id, state }) => `${state} ${id}`));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen.slice(0, 3).toSorted()).toEqual(old.map((id) => `stuck ${id}`).toSorted());
    expect(seen.slice(3).toSorted()).toEqual(young.map((id) => `waiting ${id}`).toSorted());

    const ids = async (filter: object) => (await engine.list(filter)).items.map(({ id }) => id).toSorted();
    expect(await ids({ state: 'stuck' })).toEqual(old.toSorted());
    expect(await ids({ olderThan: '10m' })).toEqual(old.toSorted());
    expect(await ids({ step: 'book-room' })).toEqual([]);
    expect(await ids({ step: 'book-train', state: 'waiting' })).toEqual(young.toSorted());
    await expect(engine.list({ cursor: 'bm8' })).rejects.toMatchObject({ status: 422 });
    await expect(engine.list({ olderThan: 'long' })).rejects.toMatchObject({ status: 422 });
  });
});
