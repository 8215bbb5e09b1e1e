// The store commands against a server that answers like the admin API: exit codes, what is printed where, Ctrl-C, 80 columns.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Move, Store, StoreEntry } from '../banyan/servers/desk/contract.ts';
import { drawStoreLine } from './move-lines.ts';
import { run } from './run.ts';
import { doingInWords, drawStore, drawStores } from './store-picture.ts';

const move = (own: Partial<Move> = {}): Move => ({
  id: 'one',
  task: 'move',
  from: 'shared',
  to: 'own',
  state: 'running',
  step: 'copying',
  attempt: 0,
  why: null,
  code: null,
  findings: [],
  steps: [{ step: 'preflight', attempt: 0, at: '2026-01-01T12:00:00.000Z' }],
  rows: { copied: 120_000, total: 1_100_000 },
  numbers: {},
  tables: [],
  notes: [],
  startedBy: 'ada',
  startedAt: '2026-01-01T12:00:00.000Z',
  endedAt: null,
  ...own,
});
const store = (own: Partial<Store> = {}): Store => ({
  ...{ module: 'parcels', server: 'shared', epoch: 0, state: 'moving', step: 'copying', lag: null, left: [] },
  ...{ pairedWith: null, pair: null, stays: [], move: move(), history: [] },
  ...own,
});
const ended = '2026-01-01T12:01:00.000Z';
const moved = store({
  ...{ server: 'own', epoch: 1, state: 'paired', step: null, lag: 0, left: [], pairedWith: 'shared' },
  move: move({
    ...{ state: 'moved', step: 'verified', endedAt: ended, numbers: { total: 142, commit: 10, hold: 38 } },
    tables: [{ table: 'parcel', rows: 1_140_602, alike: true }],
  }),
});
const problem = (code: string, more: object = {}) => ({
  status: 409,
  code,
  title: 'It cannot be',
  detail: 'So.',
  ...more,
});

const UP_AND_WIPED = '\u001b[1A\u001b[J';

let server: Server;
let base: string;
/** The answers to GET, one after the other; the last one stays. */
let shown: object[];
/** The answer to all else. */
let answer: object;
let asked: string[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    asked.push(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`.trim());
    const body = request.method === 'GET' ? (shown.length > 1 ? shown.shift()! : shown[0]!) : answer;
    response.writeHead('code' in body ? 409 : 202).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  answer = store();
});

async function banyan(words: string, interrupted = new AbortController(), isTerminal = false) {
  const said = { out: '', err: '', screen: '' };
  const output = (to: 'out' | 'err') => ({
    isTerminal,
    write: (text: string) => {
      said[to] += text;
      said.screen += text;
    },
  });
  const env = { BANYAN_URL: base, ADMIN_TOKEN: 'secret' };
  const terminal = { env, out: output('out'), err: output('err'), interrupted: interrupted.signal };
  return { exit: await run(words.split(' '), terminal), ...said };
}

test('a move is watched until it is there: its steps, its pause, what was compared, what is next', async () => {
  shown = [store({ state: 'single' }), store({ move: move({ step: 'held' }) }), moved];
  const { exit, out } = await banyan('store move parcels');
  expect(exit).toBe(0);
  expect(asked[1]).toBe('PUT /admin/stores/parcels {"server":"own"}');
  expect(out).toMatch(/copies, 120,000 of 1,100,000 rows \(10 %\)/);
  expect(out).toMatch(/parcels is on own, epoch 1/);
  expect(out).toMatch(/the pause: 142 ms \(hold 38, commit 10\)/);
  expect(out).toMatch(/1,140,602 rows in 1 table, all alike/);
  expect(out).toMatch(/banyan store back parcels/);
});

test('on a terminal the line that changes is wiped before anything is said that stays, in 80 columns', async () => {
  const why = 'these hosts did not hold in time: monolith, monolith-b';
  const again = store({ move: move({ step: 'paired', attempt: 1, why }) });
  shown = [store({ state: 'single' }), store({ move: move({ step: 'held' }) }), again, moved];
  const { screen } = await banyan('store move parcels', new AbortController(), true);
  const lines = stripVTControlCharacters(screen.replaceAll(UP_AND_WIPED, '^')).split('\n');
  const drawn = lines.flatMap((line, at) => (/^\^?[⠋-⠿] /.test(line) ? [lines[at + 1]] : []));
  expect(drawn.length).toBeGreaterThan(3);
  expect(drawn.filter((next) => !next?.startsWith('^'))).toEqual([]);
  expect(lines).toContain('^parcels the pause');
  expect(lines.filter((line) => line.replace('^', '').length > 80)).toEqual([]);
});

test('3 when it was rolled back, and why; 4 when it is refused, with every finding; 1 when tables are not alike', async () => {
  const why = 'it took longer than 300 ms';
  shown = [
    store({ state: 'single' }),
    store({ state: 'paired', move: move({ state: 'rolled-back', why, endedAt: ended }) }),
  ];
  const back = await banyan('store move parcels');
  expect(back).toMatchObject({
    exit: 3,
    err: expect.stringMatching(/rolled back.*as before\n {2}it took longer/),
  });

  shown = [store({ state: 'single', move: null })];
  const findings = [
    { code: 'keys', detail: 'parcel has no key', remedy: 'Give it one' },
    { code: 'room', detail: 'there is no room', remedy: 'Make some' },
  ];
  answer = problem('not-movable', { findings });
  const refused = await banyan('store move parcels --dry-run');
  expect(refused.exit).toBe(4);
  expect(asked.at(-1)).toBe('PUT /admin/stores/parcels {"server":"own","dryRun":true}');
  for (const { detail, remedy } of findings)
    expect(refused.err).toMatch(new RegExp(`${detail}\n.*${remedy}`));

  const tables = [{ table: 'parcel', rows: 3, alike: false }];
  answer = { ...moved, move: move({ task: 'verify', state: 'verified', endedAt: ended, tables }) };
  expect(await banyan('store verify parcels')).toMatchObject({
    exit: 1,
    out: expect.stringMatching(/not alike: parcel/),
  });
});

test('3 also where somebody else ended it; whoever ends it by `abort` has what was asked for', async () => {
  const byHand = move({ state: 'aborted', why: 'somebody ended it', endedAt: ended });
  const aborted = store({ state: 'single', step: null, move: byHand });
  shown = [store({ state: 'single' }), aborted];
  const { exit, out, err } = await banyan('store move parcels');
  expect(exit).toBe(3);
  expect(err).toMatch(
    /^ended parcels is on shared, as before\n {2}somebody ended it\nnext {2}npx banyan store move/,
  );
  expect(out).not.toMatch(/stays on/);
  shown = [aborted];
  const abort = await banyan('store abort parcels');
  expect(abort).toMatchObject({
    exit: 0,
    out: expect.stringMatching(/stays on shared; everything is as before/),
  });
});

test('what is there already is not asked for; bad words are 2', async () => {
  shown = [moved];
  expect(await banyan('store move parcels')).toMatchObject({ exit: 0, out: 'parcels is on own already\n' });
  expect(asked).toHaveLength(1);
  expect((await banyan('store move parcels --to 9x')).exit).toBe(2);
  expect((await banyan('store move parcels --dry-run --rehearse')).exit).toBe(2);
  for (const words of [
    'mvoe parcels',
    'move',
    'move parcels --nope',
    'show a b',
    'back parcels --to x',
    '--nope',
  ])
    expect((await banyan(`store ${words}`)).exit, words).toBe(2);
  shown = [store({ state: 'single', move: null })];
  for (const code of ['server-unknown', 'not-paired', 'too-late']) {
    answer = problem(code);
    expect((await banyan('store abort parcels')).exit, code).toBe(1);
  }
});

test('a lost server is given up only where that was said', async () => {
  shown = [moved];
  answer = { ...moved, server: 'shared' };
  await banyan('store back parcels');
  await banyan('store back parcels --lose-unreplicated');
  expect(asked).toEqual([
    'POST /admin/stores/parcels/back',
    'GET /admin/stores/parcels',
    'PUT /admin/stores/parcels {"server":"shared","loseUnreplicated":true}',
  ]);
});

test('Ctrl-C leaves it running, and says how to look', async () => {
  shown = [store({ state: 'single' }), store()];
  const interrupt = new AbortController();
  const moving = banyan('store move parcels', interrupt);
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(1));
  interrupt.abort();
  const { exit, err } = await moving;
  expect(exit).toBe(130);
  expect(err).toMatch(/goes on without you.\nnext {2}npx banyan store show parcels/);
});

test('--json is the answer as it came', async () => {
  shown = [{ items: [], stays: [] }];
  expect((await banyan('store --json')).out).toBe('{"items":[],"stays":[]}\n');
  answer = moved;
  expect(JSON.parse((await banyan('store verify parcels --json')).out)).toEqual(moved);
});

test('the status says where a store is that is not as it always was', () => {
  const style = (_format: unknown, text: string) => text;
  const entry: StoreEntry = {
    ...{ module: 'parcels', server: 'own', epoch: 1, state: 'paired', step: null, lag: 0 },
    left: [],
  };
  expect(drawStoreLine(entry, style)).toEqual(['  · its store is on own, paired']);
  expect(drawStoreLine({ ...entry, state: 'moving', step: 'copying' }, style)).toEqual([
    '  · its store moves, at copying',
  ]);
  expect(drawStoreLine({ ...entry, state: 'broken' }, style)[0]).toMatch(/its pair is broken/);
  expect(drawStoreLine({ ...entry, server: 'shared', state: 'single' }, style)).toEqual([]);
  const left = [{ server: 'own', dropAt: '2030-01-08T00:00:00.000000Z' }];
  expect(drawStoreLine({ ...entry, server: 'shared', state: 'single', left }, style)).toEqual([
    '  · what is left of it on own is dropped after 2030-01-08 00:00:00',
  ]);
});

test('pictures fit into 80 columns', () => {
  const style = (_format: unknown, text: string) => text;
  const looks = { style, now: 0 };
  const items: StoreEntry[] = [
    {
      module: 'parcels',
      server: 'a-server-with-a-long-name',
      epoch: 12,
      state: 'paired',
      step: null,
      lag: 123_456_789,
      left: [],
    },
    { module: 'depots', server: 'own', epoch: 1, state: 'moving', step: 'provisioned', lag: null, left: [] },
    { module: 'x', server: 'shared', epoch: 0, state: 'broken', step: null, lag: 12, left: [] },
  ];
  const stays = [{ module: 'parcels', schema: 'scales', reason: 'elsewhere' }];
  const list = drawStores(items, stays, looks);
  expect(list).toMatch(/118 MB behind/);
  expect(list).toMatch(/12 B behind/);
  const why = 'a long reason '.repeat(20);
  const one = drawStore({ ...moved, stays, move: move({ why, notes: [why] }), history: [] }, looks);
  for (const line of [...list.split('\n'), ...one.split('\n')]) expect(line.length).toBeLessThanOrEqual(80);
  const back = move({ state: 'rolled-back', step: 'held', to: 'another-server', endedAt: ended });
  const again = drawStore(store({ state: 'paired', pairedWith: 'another-server', move: back }), looks);
  expect(again).toMatch(/--to another-server\n {4}another try/);
  expect(again).toMatch(/ {2}rolled-back$/m);
  // Nothing is counted yet, and a step that has the name of the end is not said twice.
  expect(doingInWords(move({ rows: { copied: 0, total: 0 } }))).toBe('copies');
  const step = { step: 'moved', attempt: 0, at: ended } as const;
  const there = drawStore({ ...moved, move: { ...moved.move!, steps: [step] } }, looks);
  expect(there.match(/ {2}(moved|done)$/gm)).toEqual(['  moved', '  done']);
  expect(doingInWords(move({ step: 'held', attempt: 2 }))).toBe(
    'the pause, after 2 pauses that came to nothing',
  );
});
