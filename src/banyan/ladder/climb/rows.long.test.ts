// Ladders as rows, on a real database: a move and its placement are one, one host judges, and a person has the last word.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../placement/fixture.ts';
import { placeIn } from '../../placement/flags.ts';
import { writeNote } from '../../placement/history.ts';
import { controlSchema } from '../../placement/schema.ts';
import { type ControlStore, createControlStore } from '../../placement/store.ts';
import { SPOKEN } from '../../placement/words.ts';
import { noAccount } from '../judge/account.ts';
import type { Judgement } from '../judge/judgement.ts';
import { type Policy, policyOf } from '../judge/rungs.ts';
import { noticeOf } from '../notices/announcer.ts';
import { createNoticeRows, leaveNotice, MOST_NOTICES } from '../notices/notice-rows.ts';
import { createMoves, type Moves, type Outcome, type PlaceIn, type TellIn } from './moves.ts';
import { createRows, type LadderRows } from './rows.ts';
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
  const tell: TellIn = (tx, ...said) => leaveNotice(tx, noticeOf(...said)!);
  rows = { ...createRows(store.sql), ...createMoves(store.change, place, writeNote, tell) };
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
  await rows.keep(row!, { account: { ...noAccount, seconds: 7 }, slowAfter: {} }, good.evidence, 'waits');
  await store.sql.query(`UPDATE ladder SET judge_until = now() - interval '1 ms'`);
  const [taken] = await rows.claim(second);
  expect(taken).toMatchObject({ counted: { account: { seconds: 7 } }, climb: { reason: 'waits' } });
  // The first one comes back from a pause, and is nobody any more.
  expect(await rows.happen('parcels', judged(good), first)).toEqual({ none: true });
  await rows.keep(row!, { account: noAccount, slowAfter: {} }, [], 'late');
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
  await rows.keep(row!, { account: noAccount, slowAfter: {} }, good.evidence, 'waits');
  expect(await rows.evidence('parcels')).toEqual(good.evidence);
  await rows.happen('parcels', { on: 'demote', by: 'ada' });
  await rows.start('parcels', policy, 'ada');
  expect(await rows.evidence('parcels')).toEqual([]);
});

test('a move leaves its notice with it, for one host at a time, in their order, and for another if that one is killed', async () => {
  const [one, other] = [createNoticeRows(store.sql), createNoticeRows(store.sql)];
  await rows.start('parcels', policy, 'ada');
  const judge = randomUUID();
  await rows.claim(judge);
  await rows.happen('parcels', judged(bad), judge);
  broken = true;
  await expect(rows.start('parcels', policy, 'ada')).rejects.toThrow('killed');

  const taken = (await Promise.all([one.take(), other.take()])).filter((notice) => notice !== undefined);
  expect(taken).toMatchObject([{ tries: 1, notice: { text: 'parcels is at 1 %: begun by ada, at 1 %' } }]);
  expect(taken[0]!.notice.id).toBe(taken[0]!.id);
  // Who has it in hand says no more.
  await store.sql.query(`UPDATE ladder_notice SET due = now() WHERE tries > 0`);
  expect(await other.take()).toMatchObject({ id: taken[0]!.id, tries: 2 });
  await other.postpone(taken[0]!.id, 60_000);
  expect(await one.take()).toBeUndefined();
  await other.remove(taken[0]!.id);
  const down = { state: 'demoted', actor: 'judge', placement: { placement: 'in-process', percent: 0 } };
  expect(await one.take()).toMatchObject({ notice: { ...down, reason: bad.reason } });
  expect((await store.sql.query('SELECT 1 FROM ladder_notice')).rows).toHaveLength(1);
});

test('notices that nobody takes do not pile up', async () => {
  const { prune } = createNoticeRows(store.sql);
  for (let n = 0; n < MOST_NOTICES + 3; n += 1) await leaveNotice(store.sql, { text: `number ${n}` });
  await store.sql.query(
    `UPDATE ladder_notice SET at = now() - interval '25 h' WHERE notice ->> 'text' = 'number 50'`,
  );
  expect((await prune()).sort()).toEqual(['number 0', 'number 1', 'number 2', 'number 50']);
  expect(await prune()).toEqual([]);
});

test('while a supervisor replaces a process on purpose its successor has the time of a start', async () => {
  const sql = (text: string) => store.sql.query(text);
  await store.services.want('parcels', 1, randomUUID());
  expect(await rows.isSucceeded('parcels')).toBe(false);
  await store.registry.ending({ machine: 'another one', pid: 1, started: 'then' });
  await store.registry.markProcessGone({ machine: 'another one', pid: 1, started: 'then' });
  expect(await rows.endedSince('parcels', 0)).toEqual([]);
  expect(await rows.isSucceeded('parcels')).toBe(true);
  await sql(`UPDATE host SET heartbeat_at = now() - interval '31 s'`);
  expect(await rows.isSucceeded('parcels')).toBe(false);
  // The one after it boots; one that comes after a crash has no such time.
  await sql(`UPDATE host SET live = true, retiring = false, ready = false`);
  expect(await rows.isSucceeded('parcels')).toBe(true);
  await sql('UPDATE service SET failures = 1');
  expect(await rows.isSucceeded('parcels')).toBe(false);
});

test('who is only silent is not said to have ended', async () => {
  const [one] = (await store.read()).hosts;
  await store.registry.markGone([one!.host], [one!.host]);
  expect(await rows.endedSince('parcels', 0)).toEqual([
    expect.stringMatching(/^parcels-1 was not heard of for 3 s at \d\d:\d\d:\d\d UTC$/),
  ]);
});

test('a judge that looked before a person paused or stopped it does not write over why', async () => {
  const judge = randomUUID();
  await rows.start('parcels', policy, 'ada');
  const late = { account: noAccount, slowAfter: {} };
  for (const on of ['pause', 'stop'] as const) {
    const [row] = await rows.claim(judge);
    await rows.happen('parcels', { on, by: 'ada' });
    await rows.keep(row!, late, good.evidence, row!.climb.reason);
    expect((await rows.read('parcels'))?.climb.reason).toMatch(/^(paused|stopped) by ada$/);
  }
  expect((await rows.read('parcels'))?.climb).toMatchObject({ state: 'stopped', reason: 'stopped by ada' });
});
