// Ladders as rows, on a real database: a move and its placement are one, one host judges, and a person has the last word.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../placement/fixture.ts';
import { placeIn } from '../placement/flags.ts';
import { writeNote } from '../placement/history.ts';
import { controlSchema } from '../placement/schema.ts';
import { type ControlStore, createControlStore } from '../placement/store.ts';
import { SPOKEN } from '../placement/words.ts';
import { noAccount } from './account.ts';
import type { Judgement } from './judgement.ts';
import { createMoves, type Moves, type Outcome, type PlaceIn } from './moves.ts';
import { createRows, type LadderRows } from './rows.ts';
import { type Policy, policyOf } from './rungs.ts';
import { ladderTables } from './tables.ts';

const policy = policyOf({ steps: [1, 10, 100], minSeconds: 1, minRequests: 1 }) as Policy;
const good: Judgement = {
  verdict: 'good',
  reason: 'errors: 0 of 300',
  evidence: [
    { rung: '1', metric: 'errors', near: { n: 900, bad: 1 }, far: { n: 300, bad: 0 }, verdict: 'good' },
  ],
  near: {},
};
const bad: Judgement = { ...good, verdict: 'bad', reason: 'errors: 150 of 300' };
const judged = (judgement: Judgement, wayBack = true) => ({ on: 'judged', judgement, wayBack }) as const;
const person = { actor: 'operator', by: 'ada' } as const;

let server: TestServer;
let store: ControlStore;
let rows: LadderRows & Moves;
/** Set: placing fails after the row was written. */
let broken = false;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  const { ddl, ...schema } = controlSchema();
  const { urlOf } = await server.database({ ...schema, ddl: `${ddl}\n${ladderTables()}` });
  store = createControlStore({ url: urlOf('banyan_control'), log: pino({ level: 'silent' }) });
  const place: PlaceIn = async (tx, version, module, act, evidence) => {
    const { placement, percent, actor, by, reason } = act;
    if (placement === 'shadow') return { outcome: 'host-too-old', tooOld: [] };
    const who = { actor, by, reason, evidence };
    const answer = await placeIn(tx, version, module, { placement, percent }, who);
    if (broken) throw new Error('killed');
    return answer;
  };
  rows = { ...createRows(store.sql), ...createMoves(store.change, place, writeNote) };
  broken = false;
  await store.flags.seed(['parcels', 'depots'], {});
  const process = { machine: 'another one', pid: 1, started: 'then' };
  await store.registry.register(
    {
      ...{ host: randomUUID(), id: 'parcels-1', role: 'service', modules: ['parcels'], url: 'http://p' },
      ...{ doors: ['ws'], process, contracts: {}, speaks: [...SPOKEN] },
    },
    { ready: true, draining: false, inflight: {}, busy: {} },
  );
});
afterEach(() => store.close());

const placed = async () => {
  const { placements } = await store.read();
  const { placement, percent } = placements.find(({ module }) => module === 'parcels')!;
  return `${placement} ${percent}`;
};
const history = async () =>
  (await store.flags.history({ module: 'parcels', limit: 10 }))
    .reverse()
    .slice(1)
    .map(({ to, percent, actor, by }) => `${to} ${percent} ${actor} ${by}`);
const climbOf = (outcome: Outcome) => ('moved' in outcome ? outcome.moved.after : outcome);

test('it goes up by verdicts, each move with its placement, its history and its numbers', async () => {
  expect(climbOf(await rows.start('parcels', policy, 'ada'))).toMatchObject({ state: 'running', rung: '1' });
  const judge = randomUUID();
  expect(await rows.claim(judge)).toHaveLength(1);
  for (const rung of ['10', '100', 'background'])
    expect(climbOf(await rows.happen('parcels', judged(good), judge))).toMatchObject({ rung });
  expect(climbOf(await rows.happen('parcels', judged(good), judge))).toMatchObject({ state: 'done' });
  expect(await placed()).toBe('service 100');
  expect(await history()).toEqual([
    'canary 1 operator ada',
    'canary 10 judge judge',
    'service 100 judge judge',
    'service 100 judge judge',
    'service 100 judge judge',
  ]);
  const [, , second] = (await store.flags.history({ module: 'parcels', limit: 10 })).reverse();
  expect(second).toMatchObject({ reason: good.reason, evidence: { rung: '1', counts: good.evidence } });
  // It is watched where it is, and comes down from there.
  expect(climbOf(await rows.happen('parcels', judged(bad), judge))).toMatchObject({ state: 'demoted' });
  expect(await placed()).toBe('in-process 0');
  expect(await rows.claim(judge)).toEqual([]);
});

test('whoever is killed between a move and its placement leaves neither', async () => {
  await rows.start('parcels', policy, 'ada');
  const judge = randomUUID();
  await rows.claim(judge);
  broken = true;
  await expect(rows.happen('parcels', judged(good), judge)).rejects.toThrow('killed');
  expect((await rows.read('parcels'))?.climb.rung).toBe('1');
  expect(await placed()).toBe('canary 1');
});

test('what cannot be placed is not climbed', async () => {
  await store.sql.query('UPDATE host SET ready = false');
  expect(await rows.start('parcels', policy, 'ada')).toMatchObject({
    unplaced: { outcome: 'no-healthy-instance' },
  });
  expect(await rows.read('parcels')).toBeUndefined();
  await store.sql.query(`UPDATE host SET ready = true, speaks = '{}'`);
  expect(await rows.start('parcels', policy, 'ada')).toMatchObject({
    unplaced: { outcome: 'host-too-old', tooOld: ['parcels-1'] },
  });
  expect(await placed()).toBe('in-process 0');
});

test('one host judges; another one does as soon as that one was silent for the lease', async () => {
  await rows.start('parcels', policy, 'ada');
  const [first, second] = [randomUUID(), randomUUID()];
  const [row] = await rows.claim(first);
  expect(await rows.claim(second)).toEqual([]);
  expect(await rows.claim(first)).toHaveLength(1);
  await rows.keep(row!, { account: { ...noAccount, seconds: 7 }, thresholds: {} }, good.evidence, 'waits');
  await store.sql.query(`UPDATE ladder SET judge_until = now() - interval '1 ms'`);
  const [taken] = await rows.claim(second);
  expect(taken).toMatchObject({ counted: { account: { seconds: 7 } }, climb: { reason: 'waits' } });
  // The first one comes back from a pause, and is nobody any more.
  expect(await rows.happen('parcels', judged(good), first)).toEqual({ none: true });
  await rows.keep(row!, { account: noAccount, thresholds: {} }, [], 'late');
  expect((await rows.read('parcels'))?.climb.reason).toBe('waits');
  await rows.release(second);
  expect(await rows.claim(first)).toHaveLength(1);
});

test('a placement by a person stops it, also one that a host of the version before wrote', async () => {
  await rows.start('parcels', policy, 'ada');
  const judge = randomUUID();
  await rows.claim(judge);
  await store.flags.place('parcels', { placement: 'canary', percent: 30 }, person);
  const outcome = await rows.happen('parcels', judged(bad), judge);
  expect(outcome).toMatchObject({ moved: { overtaken: true, after: { state: 'stopped' } } });
  expect(await placed()).toBe('canary 30');
  expect(await rows.happen('parcels', judged(bad), judge)).toMatchObject({
    moved: { after: { state: 'stopped' } },
  });
  expect(await placed()).toBe('canary 30');
  expect(await rows.claim(judge)).toEqual([]);
});

test('a placement by hand stops it in the same transaction, also one that changes nothing', async () => {
  await rows.start('parcels', policy, 'ada');
  let before: unknown;
  const wish = { placement: 'canary', percent: 1 } as const;
  await store.flags.place('parcels', wish, person, async (tx) => {
    const moved = await rows.placedByHand(tx, { module: 'parcels', on: 'placed', by: 'ada', ...wish });
    before = moved?.before?.state;
  });
  expect(before).toBe('running');
  expect((await rows.read('parcels'))?.climb).toMatchObject({ state: 'stopped' });
});

test('a module that is guarded is watched from where it was put, and taken back', async () => {
  await store.flags.place('parcels', { placement: 'service' }, person, (tx) =>
    rows.guard(tx, 'parcels', 'ada', 100),
  );
  const judge = randomUUID();
  expect(await rows.claim(judge)).toHaveLength(1);
  await rows.happen('parcels', judged(bad), judge);
  expect(await placed()).toBe('in-process 0');
});

test('two that start at once begin one ladder, and there is none of a module that is not there', async () => {
  const outcomes = await Promise.all([
    rows.start('parcels', policy, 'ada'),
    rows.start('parcels', policy, 'bob'),
  ]);
  expect(outcomes.filter((one) => 'moved' in one)).toHaveLength(1);
  expect(outcomes.filter((one) => 'open' in one)).toHaveLength(1);
  expect(await rows.start('letters', policy, 'ada')).toEqual({ none: true });
  expect(await rows.happen('depots', { on: 'pause', by: 'ada' })).toEqual({ none: true });
});

test('what is known of a run goes with the next one', async () => {
  await rows.start('parcels', policy, 'ada');
  const judge = randomUUID();
  const [row] = await rows.claim(judge);
  await rows.keep(row!, { account: noAccount, thresholds: {} }, good.evidence, 'waits');
  expect(await rows.evidence('parcels')).toEqual(good.evidence);
  await rows.happen('parcels', { on: 'demote', by: 'ada' });
  await rows.start('parcels', policy, 'ada');
  expect(await rows.evidence('parcels')).toEqual([]);
});
