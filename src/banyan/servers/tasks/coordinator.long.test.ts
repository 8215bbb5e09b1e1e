// Tasks about stores on a real control store, with mechanics that only say what they were asked: one host does a task, each
// boundary survives who did it, and nobody guesses the commit point.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestServer, type TestServer } from '../../placement/fixture.ts';
import { controlSchema } from '../../placement/schema.ts';
import { type ControlStore, createControlStore, StoreUnavailable } from '../../placement/store.ts';
import { storeHandlers } from '../desk/admin.ts';
import type { StoresOptions } from '../desk/beginning.ts';
import { storeChanges } from '../desk/changes.ts';
import { serverTables } from './control-tables.ts';
import { type Coordinator, createCoordinator } from './coordinator.ts';
import { NoUse } from './failures.ts';
import { createLeftLooks } from './left-looks.ts';
import { createLeftRows } from './left-rows.ts';
import type { Finding, Mechanics, Paused, Reach } from './mechanics.ts';
import { createPairRows } from './pair-rows.ts';
import { createPairLooks } from './pairs.ts';
import { createPlaces } from './places.ts';
import { createMoveRows, type MoveRow } from './rows.ts';
import type { Step, Task } from './steps.ts';

const log = pino({ level: 'silent' });
const at = { within: { timeout: 15_000, interval: 20 } };

let server: TestServer;
let store: ControlStore;
let asked: string[];
let findings: Finding[];
let pauses: (Paused<unknown> | Error)[];
/** The step that never comes to its end. */
let hangs: string | undefined;
let hanging: (() => void)[];
let reads: boolean;
const running: Coordinator[] = [];

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  const { ddl, ...schema } = controlSchema();
  const { urlOf } = await server.database({ ...schema, ddl: `${ddl}\n${serverTables()}` });
  store = createControlStore({ url: urlOf('banyan_control'), log });
  await store.flags.seed(['parcels', 'depots'], {});
  asked = [];
  findings = [];
  pauses = [];
  hangs = undefined;
  hanging = [];
  reads = false;
});
afterEach(async () => {
  for (const end of hanging) end();
  for (const one of running.splice(0)) await one.stop();
  await store.close();
});

const reach: Reach = {
  refusal: (_module, name) => (name === 'nowhere' ? 'there is no STORE_NOWHERE_URL' : undefined),
  serverAt: async (_module, name) => ({ name, adminUrl: `postgres://admin@${name}/db` }),
  moving: (module) => ({ module, schema: module, runtime: module, owner: module, pairPassword: 'x' }),
};

const says = async (name: string, signal?: AbortSignal): Promise<void> => {
  asked.push(name);
  if (hangs !== name) return;
  await new Promise((_, reject) => {
    hanging.push(() => reject(new Error('killed')));
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
};

const mechanics: Mechanics = {
  preflight: async () => {
    await says('preflight');
    return findings;
  },
  provision: () => says('provision'),
  makePair: async (_between, onProgress, signal) => {
    onProgress({ copied: 3, total: 9 });
    await says('pair', signal);
  },
  pairState: async () => ({ state: 'paired', lagBytes: 0, lagMs: 0 }),
  dropPair: async () => {
    await says('drop');
    return [];
  },
  lagGate: (_between, signal) => says('gate', signal),
  refresh: () => says('refresh'),
  pause: async (_between, by, { rehearse }) => {
    await says('pause');
    const next = pauses.shift();
    if (next instanceof Error) throw next;
    const late = await by.hold();
    if (next || late.length > 0) {
      await by.release();
      return next ?? { moved: false, why: late.join(), numbers: {} };
    }
    if (rehearse) await by.release();
    else await by.commit();
    return { moved: !rehearse, numbers: { hold: 4, total: 9 } };
  },
  recover: async (_between, owner) => {
    await says(`owner ${owner.name}`);
    return undefined;
  },
  isSettled: async () => true,
  compare: async () => {
    await says('compare');
    return [{ table: 'parcel', rows: 12, alike: true }];
  },
  takeOver: () => says('take over'),
  dropLeftover: async ({ target }) => {
    await says(`drop ${target.name}`);
    if (reads) throw new NoUse('somebody reads it');
  },
  wouldBeLost: async () => 'two seconds',
};

const places = () => createPlaces(store.sql, ({ name }) => (name === 'shared' ? null : addressOf(name)));
const addressOf = (host: string) => ({ host, port: 5432, database: 'db' });
const rows = () => createMoveRows(store.sql);
const lefts = () => createLeftRows(store.sql);

function coordinator(own: Partial<Parameters<typeof createCoordinator>[0]> = {}): Coordinator {
  const one = createCoordinator({
    self: randomUUID(),
    rows: rows(),
    store,
    places: places(),
    lefts: lefts(),
    reach,
    mechanics,
    log,
    onEnd: ({ module }, { state }) => asked.push(`${module} ${state}`),
    lookAtPairs: async () => 0,
    ...own,
  });
  running.push(one);
  one.start();
  return one;
}

const begin = async (task: Task, own: { paired?: boolean; source?: string; target?: string } = {}) =>
  (await rows().begin({
    ...{ module: 'parcels', task, source: 'shared', target: 'own', paired: false, by: 'ada' },
    ...own,
  }))!;
const now = async ({ id }: MoveRow) => (await rows().read(id))!;
const ended = (row: MoveRow) =>
  vi.waitFor(async () => {
    const read = await now(row);
    expect(read.endedAt).not.toBeNull();
    return read;
  }, at.within);
const place = async () => (await places().read()).find(({ module }) => module === 'parcels');

test('a move goes its way; the commit point is one with the step that follows it', async () => {
  coordinator();
  const row = await ended(await begin('move'));
  expect(row.walk).toMatchObject({ state: 'moved', why: null });
  expect(row.steps.map(({ step }) => step)).toEqual([
    'preflight',
    'provisioned',
    'copying',
    'paired',
    'held',
    'moved',
    'verified',
  ]);
  expect(asked).toEqual([
    'preflight',
    'provision',
    'pair',
    'refresh',
    'gate',
    'pause',
    'owner own',
    'compare',
    'parcels moved',
  ]);
  expect(row.found).toMatchObject({ rows: { copied: 3, total: 9 }, numbers: { hold: 4, total: 9 } });
  expect(await place()).toMatchObject({ server: 'own', epoch: 1, gate: 'open', pairedWith: 'shared' });
});

test('the way back needs no preparation', async () => {
  coordinator();
  await ended(await begin('check'));
  const there = await ended(await begin('move'));
  await expect(desk().abort({ module: 'parcels' }, call())).rejects.toMatchObject({
    body: { code: 'too-late', detail: expect.stringMatching(/has moved.*banyan store back parcels/) },
  });
  asked = [];
  await ended(await begin('move', { paired: true, source: 'own', target: 'shared' }));
  expect(asked).toEqual(['refresh', 'gate', 'pause', 'owner shared', 'compare', 'parcels moved']);
  expect(await place()).toMatchObject({ server: 'shared', epoch: 2, pairedWith: 'own' });
  const said = { state: 'moved', by: 'ada', why: null, pause: 9, rows: 12, module: 'parcels', task: 'move' };
  const all = await storeChanges(store.sql, {});
  expect(all).toMatchObject([
    { ...said, from: 'own', to: 'shared' },
    { ...said, from: 'shared', to: 'own' },
  ]);
  expect(all.map(({ endedAt }) => endedAt)).toContain(there.endedAt);
  // Pages that meet at a moment have each of them once.
  const { at: moment } = all[1]!;
  expect([
    ...(await storeChanges(store.sql, { after: moment })),
    ...(await storeChanges(store.sql, { until: moment })),
  ]).toEqual(all);
  expect(await storeChanges(store.sql, { module: 'depots' })).toEqual([]);
});

test('a rehearsal leaves everything as it was', async () => {
  coordinator();
  const row = await ended(await begin('rehearse'));
  expect(row.walk.state).toBe('rehearsed');
  expect(asked).toContain('drop');
  expect(await place()).toMatchObject({ server: 'shared', epoch: 0, gate: 'open', pairedWith: null });
});

test('a pause that came to nothing: the owner is granted, the gate open, and it is tried again', async () => {
  pauses = [{ moved: false, why: 'over the budget', numbers: { total: 340 } }];
  coordinator();
  const row = await ended(await begin('move'));
  expect(row.walk).toMatchObject({ state: 'moved', attempt: 1 });
  const again = asked.indexOf('pause') + 1;
  expect(asked.slice(again, again + 4)).toEqual(['owner shared', 'refresh', 'gate', 'pause']);
  expect(await place()).toMatchObject({ server: 'own', epoch: 1 });
});

test.each<[at: Step, asks: string]>([
  ['preflight', 'preflight'],
  ['provisioned', 'provision'],
  ['copying', 'pair'],
  ['paired', 'gate'],
  ['held', 'pause'],
  ['verified', 'compare'],
])('who coordinates is gone at %s: another goes on', async (step, asks) => {
  hangs = asks;
  coordinator();
  const row = await begin('move');
  await vi.waitFor(async () => expect((await now(row)).walk.step).toBe(step), at.within);
  await vi.waitFor(() => expect(asked).toContain(asks), at.within);
  // As if it had been killed: it says nothing more, and is not heard.
  await store.sql.query(`UPDATE store_move SET coordinator = gen_random_uuid(), coordinator_until = now()`);
  if (step === 'held')
    await store.change(async (tx) => {
      await places().hold(tx, 'parcels', { name: 'own', adminUrl: '' });
      return true;
    });
  hangs = undefined;
  asked = [];
  coordinator();
  expect((await ended(row)).walk.state).toBe('moved');
  if (step === 'held') expect(asked[0]).toBe('owner shared');
  expect(await place()).toMatchObject({ server: 'own', epoch: 1, gate: 'open' });
});

test('a commit point of which nobody was told is found', async () => {
  const lossy: ControlStore['change'] = async (work) => {
    const version = await store.change(work);
    if ((await place())?.server === 'own') throw new StoreUnavailable(new Error('the line broke'));
    return version;
  };
  let lost = false;
  const change: ControlStore['change'] = (work) => {
    if (lost) return store.change(work);
    return lossy(work).catch((error) => {
      lost = true;
      throw error;
    });
  };
  coordinator({ store: { change, sql: store.sql } });
  expect((await ended(await begin('move'))).walk).toMatchObject({ state: 'moved', attempt: 0 });
  expect(lost).toBe(true);
});

test('who lost the lease commits nothing', async () => {
  let refused: unknown;
  const stolen: Mechanics = {
    ...mechanics,
    pause: async (between, by, options) => {
      await store.sql.query(`UPDATE store_move SET coordinator = gen_random_uuid()`);
      refused = await by.commit().catch((error: unknown) => error);
      return mechanics.pause(between, by, options);
    },
  };
  coordinator({ mechanics: stolen });
  await begin('move');
  await vi.waitFor(() => expect(String(refused)).toMatch(/no longer for this monolith/), at.within);
  expect(await place()).toMatchObject({ server: 'shared', epoch: 0 });
});

test('no pause is begun while nothing is heard of a host that would have to hold, until it is heard of or gone', async () => {
  const heardAgo = (seconds: number) =>
    store.sql.query(
      `INSERT INTO host (host, id, role, modules, url, pid, machine, started, doors, stores, heartbeat_at)
       VALUES ('00000000-0000-0000-0000-000000000001', 'parcels-1', 'service', '{parcels}', 'http://none', 1, 'm', 's', '{ws}',
         '{"parcels": {"epoch": 0, "held": true, "open": 0}}', now() - $1::float8 * interval '1 s')
       ON CONFLICT (host) DO UPDATE SET heartbeat_at = excluded.heartbeat_at`,
      [seconds],
    );
  const frozen = setInterval(() => void heardAgo(2), 100);
  await heardAgo(2);
  coordinator();
  const row = await begin('move');
  const gates = () => asked.filter((one) => one === 'gate').length;
  await vi.waitFor(() => expect(gates()).toBeGreaterThan(2), at.within);
  expect(asked).not.toContain('pause');
  clearInterval(frozen);
  await heardAgo(4);
  // As is said of one that is gone.
  expect(await places().unheard('parcels', 1_500)).toEqual([]);
  expect((await ended(row)).walk).toMatchObject({ state: 'moved', attempt: 0 });
});

test('what the last pause of five leaves: its steps as they were, no old look, and the remedy that works', async () => {
  pauses = [{ moved: false, why: 'over the budget', numbers: { total: 340 } }];
  const row = await begin('move');
  await store.sql.query(`UPDATE store_move SET walk = walk || '{"attempt": 4}'`);
  await store.sql.query(
    `INSERT INTO store_pair (module, state, looked_at) VALUES ('parcels', 'copying', now() - interval '1 s')`,
  );
  coordinator();
  const { walk, steps } = await ended(row);
  expect(walk).toMatchObject({ state: 'rolled-back', attempt: 5 });
  expect(steps.at(-1)).toMatchObject({ step: 'held', attempt: 4 });
  const admin = desk();
  expect(await admin.show({ module: 'parcels' }, call())).toMatchObject({ state: 'paired', pair: null });
  await expect(admin.move({ module: 'parcels', server: 'big' }, call())).rejects.toMatchObject({
    body: { code: 'not-movable', detail: expect.stringMatching(/banyan store abort parcels/) },
  });
  await admin.abort({ module: 'parcels' }, call());
  await vi.waitFor(async () => expect((await place())?.pairedWith).toBeNull(), at.within);
});

test('a lease that ran out while nobody else took it is none that was lost', async () => {
  const late: Mechanics = {
    ...mechanics,
    pause: async (between, by, options) => {
      await store.sql.query(`UPDATE store_move SET coordinator_until = now() - interval '1 min'`);
      return mechanics.pause(between, by, options);
    },
  };
  coordinator({ mechanics: late, rows: { ...rows(), renew: () => new Promise(() => {}) } });
  const row = await ended(await begin('move'));
  expect(row.walk).toMatchObject({ state: 'moved', attempt: 0 });
  expect(row.steps.filter(({ step }) => step === 'held')).toHaveLength(1);
});

test('a lease is renewed while a look does not come to its end', async () => {
  hangs = 'gate';
  const own = rows();
  let stuck = false;
  const open = async () => (stuck ? new Promise<never>(() => {}) : own.open());
  const one = coordinator({ rows: { ...own, open }, lookAtPairs: () => new Promise(() => {}) });
  const row = await begin('move');
  await vi.waitFor(() => expect(asked).toContain('gate'), at.within);
  stuck = true;
  running.splice(running.indexOf(one), 1);
  await store.sql.query(`UPDATE store_move SET coordinator_until = now()`);
  await vi.waitFor(async () => expect((await now(row)).free).toBe(false), at.within);
});

test('where a store may go is said before the gates, and taken back with the move', async () => {
  hangs = 'gate';
  coordinator();
  const row = await begin('move');
  await vi.waitFor(() => expect(asked).toContain('gate'), at.within);
  expect(await place()).toMatchObject({ gate: 'open', next: addressOf('own') });
  await rows().unwant('parcels');
  expect((await ended(row)).walk.state).toBe('aborted');
  expect(await place()).not.toHaveProperty('next');
});

test('a copy that nobody wants any more is taken away', async () => {
  hangs = 'pair';
  coordinator();
  const row = await begin('move');
  await vi.waitFor(() => expect(asked).toContain('pair'), at.within);
  await rows().unwant('parcels');
  expect((await ended(row)).walk.state).toBe('aborted');
  expect(asked).toContain('drop');
  expect(await place()).toMatchObject({ server: 'shared', epoch: 0, pairedWith: null });
});

test('a pair that broke is told once, whoever looks, and with what is written down or not at all', async () => {
  await store.change(async (tx) => {
    await places().pairWith(tx, 'parcels', 'own');
    return true;
  });
  const told: string[] = [];
  let fails = true;
  const looks = (self = randomUUID()) =>
    createPairLooks({
      ...{ self, pairs: createPairRows(store.sql), places: places(), store, reach, log },
      busy: async () => [],
      mechanics: {
        ...mechanics,
        pairState: async () => ({
          state: 'broken',
          lagBytes: 0,
          lagMs: 0,
          keptBytes: 7,
          reason: 'its slot is gone',
        }),
      },
      tell: async (_tx, text) => {
        if (fails) throw new Error('killed');
        told.push(text);
      },
    })();
  const self = randomUUID();
  await expect(looks(self)).rejects.toThrow('killed');
  fails = false;
  await looks(self);
  await looks(self);
  await store.sql.query(`UPDATE store_pair SET looker_until = now()`);
  await looks();
  expect(told).toEqual([expect.stringMatching(/own does not follow it any more: its slot is gone/)]);
  expect(await createPairRows(store.sql).read()).toMatchObject([{ state: 'broken', keptBytes: 7 }]);
});

const call = () => ({ principal: { kind: 'operator', name: 'ada' } }) as never;
const desk = (wake: () => void = () => {}) =>
  storeHandlers({
    ...{
      store,
      rows: rows(),
      pairs: createPairRows(store.sql),
      places: places(),
      lefts: lefts(),
      reach,
      wake,
    },
    stays: [{ module: 'parcels', schema: 'scales' }],
    tooOld: async () => [],
  } satisfies StoresOptions);

test('what the pre-flight finds is answered, all of it; a move that is under way is no second one', async () => {
  const one = coordinator();
  const admin = desk(() => one.wake());
  findings = [{ code: 'keys', detail: 'parcel has no key', remedy: 'give it one' }];
  await expect(admin.move({ module: 'parcels', server: 'own' }, call())).rejects.toMatchObject({
    body: { code: 'not-movable', findings, detail: expect.stringMatching(/no key \(give it one\)/) },
  });
  findings = [];
  hangs = 'gate';
  const begun = await admin.move({ module: 'parcels', server: 'own' }, call());
  expect(begun).toMatchObject({
    state: 'moving',
    server: 'shared',
    move: { task: 'move', startedBy: 'ada' },
  });
  await expect(admin.move({ module: 'parcels', server: 'own' }, call())).rejects.toMatchObject({
    body: { code: 'move-running' },
  });
  const { items, stays } = await admin.list({}, call());
  expect(items).toEqual([
    { module: 'depots', server: 'shared', epoch: 0, state: 'single', step: null, lag: null, left: [] },
    expect.objectContaining({ module: 'parcels', state: 'moving' }),
  ]);
  expect(stays[0]).toMatchObject({ schema: 'scales' });
});

test('what the end of a pair left is shown, and dropped when it is due: not while it is read, and never where the store is', async () => {
  const looks = () => createLeftLooks({ lefts: lefts(), rows: rows(), places: places(), reach })();
  const due = () => store.sql.query(`UPDATE store_left SET due = now() - interval '1 s'`);
  const last = async () => (await rows().of('parcels', 1))[0]!;
  const pairWith = (server: string | null) =>
    store.change(async (tx) => {
      await places().pairWith(tx, 'parcels', server);
      return true;
    });
  coordinator();
  await ended(await begin('move'));
  await ended(await begin('finish', { paired: true, source: 'own', target: 'shared' }));
  const { left } = await desk().show({ module: 'parcels' }, call());
  const inDays = (Date.parse(left[0]!.dropAt) - Date.now()) / 86_400_000;
  expect([left.length, left[0]!.server, Math.round(inDays)]).toEqual([1, 'shared', 7]);
  asked = [];
  await looks();
  expect(await last()).toMatchObject({ walk: { task: 'finish' } });

  await due();
  reads = true;
  await looks();
  expect((await ended(await last())).walk).toMatchObject({ task: 'drop', why: 'somebody reads it' });
  reads = false;
  // Nothing before the next day.
  await looks();
  expect(asked.filter((one) => one.startsWith('drop'))).toEqual(['drop shared']);

  await due();
  await looks();
  expect(await ended(await last())).toMatchObject({ walk: { state: 'dropped' }, startedBy: 'banyan' });
  expect(asked.filter((one) => one.startsWith('drop'))).toEqual(['drop shared', 'drop shared']);
  expect((await desk().show({ module: 'parcels' }, call())).left).toEqual([]);

  // In use again before it was due: it follows, or owns.
  for (const [server, follows] of [
    ['shared', 'shared'],
    ['own', null],
  ] as const) {
    await pairWith(follows);
    await store.change(async (tx) => {
      await lefts().leave(tx, 'parcels', server);
      return false;
    });
    expect((await desk().show({ module: 'parcels' }, call())).left).toEqual([]);
    await due();
    await looks();
    expect(await lefts().read()).toEqual([]);
  }
  expect(asked.filter((one) => one.startsWith('drop'))).toHaveLength(2);
});

test('what cannot be is said: no such module, no such server, no pair', async () => {
  const admin = desk();
  await expect(admin.show({ module: 'pallets' }, call())).rejects.toMatchObject({
    body: { code: 'module-unknown' },
  });
  await expect(admin.move({ module: 'parcels', server: 'nowhere' }, call())).rejects.toMatchObject({
    body: { code: 'server-unknown', detail: expect.stringMatching(/STORE_NOWHERE_URL/) },
  });
  for (const act of ['back', 'verify', 'finish', 'abort'] as const)
    await expect(admin[act]({ module: 'parcels' }, call())).rejects.toMatchObject({
      body: { code: 'not-paired' },
    });
  expect(await admin.move({ module: 'parcels', server: 'shared' }, call())).toMatchObject({
    state: 'single',
    move: null,
  });
});
