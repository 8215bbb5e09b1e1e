// A store's moves rehearsed: orders of N rows, W orders a second from customers, M moves there and back by `banyan store`, on
// real processes. It says how long customers waited, what failed, and whether what they were promised is there; every row
// of both servers is compared by the product itself.
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Books, booksOf, differences } from './books.ts';
import { Readers } from './readers.ts';
import { openStage, type StoreShop } from './stage.ts';
import { Writers } from './writers.ts';

export interface StoreOptions {
  /** Old rows, half of them orders and half their lines. */
  readonly rows: number;
  readonly perSecond: number;
  readonly readsPerSecond?: number;
  readonly moves: number;
  /** So long customers are watched before the first move: what comes after each is held against it. */
  readonly beforeMs?: number;
  /** No further move is begun after this. */
  readonly mostMs?: number;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface Moved {
  readonly to: string;
  /** From the command to its end, the comparison included. */
  readonly seconds: number;
  /** Of the coordinator: from the hold to the commit point. */
  readonly pauseMs: number;
  /** The longest wait for an answer around the pause, as a client saw it; and the longest time without any answer. */
  readonly longestMs: number;
  readonly gapMs: number;
  /** Pauses that came to nothing before. */
  readonly attempts: number;
  readonly rowsCompared: number;
  readonly differing: readonly string[];
  /** What lists and single orders waited that were asked for right after it. */
  readonly reads: readonly number[];
}

/** Before the first move. */
export interface Before {
  /** What orders and reads waited, in ms. */
  readonly writes: readonly number[];
  readonly reads: readonly number[];
  /** Rows that were written to the store of orders a second. */
  readonly rowsPerSecond: number;
}

export interface StoreOutcome {
  readonly moves: readonly Moved[];
  readonly failed: readonly string[];
  readonly books: Books;
  readonly before: Before;
  readonly seconds: number;
  readonly wrong: readonly string[];
}

/** Of `banyan store`: five pauses came to nothing, and everything is as before. It is asked again so often. */
const ROLLED_BACK = 3;
const TRIES = 3;

/** So long after a pause an answer may have waited for it. */
const AROUND_MS = 500;
/** The first seconds at a server: neither its planner nor its memory may make readers wait. */
const FIRST_MS = 10_000;
const BEFORE_MS = 15_000;
const READS = 20;

export async function rehearseStore(options: StoreOptions): Promise<StoreOutcome> {
  const {
    rows,
    perSecond,
    readsPerSecond = READS,
    moves,
    mostMs = 480_000,
    beforeMs = BEFORE_MS,
    say,
  } = options;
  const { signal = new AbortController().signal } = options;
  const began = performance.now();
  say('starting: a monolith with its PostgreSQL, a process of orders');
  const shop = await openStage({ kind: 'own' });
  try {
    say(`writing ${rows} rows`);
    await fill(shop, rows);
    const since = new Date();
    const writers = new Writers(shop, { perSecond });
    const clock = { at: performance.now(), date: Date.now() };
    const readers = new Readers(shop, readsPerSecond);
    writers.start();
    readers.start();
    const before = await watch(shop, writers, readers, beforeMs);
    const customers = { writers, readers, clock };
    const done: Made[] = [];
    const wrong: string[] = [];
    let rolledBack = 0;
    while (done.length < moves && rolledBack < TRIES && performance.now() - began < mostMs) {
      signal.throwIfAborted();
      const one = await moveOnce(shop, done.length, customers, wrong);
      if (one === 'failed') break;
      if (one === 'rolled-back') {
        rolledBack += 1;
        say(`rolled back, time ${rolledBack} in a row: everything is as before`);
        continue;
      }
      rolledBack = 0;
      done.push(one);
      say(
        `${done.length}: to ${one.to} in ${one.seconds.toFixed(1)} s, pause ${one.pauseMs} ms, clients ${one.longestMs} ms`,
      );
    }
    if (rolledBack === TRIES) wrong.push(`a move was rolled back ${TRIES} times in a row`);
    await Promise.all([writers.stop(), readers.stop()]);
    say('waiting until every order is final');
    const books = await booksOf(shop, writers, since);
    const failed = [...writers.failed, ...readers.failed];
    const outcome = { moves: readAfter(done, readers), failed, books, before };
    return {
      ...outcome,
      seconds: (performance.now() - began) / 1000,
      wrong: [...wrong, ...sentences(outcome)],
    };
  } finally {
    await shop.stop();
  }
}

interface Customers {
  readonly writers: Writers;
  readonly readers: Readers;
  readonly clock: { readonly at: number; readonly date: number };
}

type Made = Omit<Moved, 'reads'> & { readonly held: number; readonly moved: number };

async function moveOnce(
  shop: StoreShop,
  n: number,
  { writers, clock }: Customers,
  wrong: string[],
): Promise<Made | 'rolled-back' | 'failed'> {
  const begun = performance.now();
  const words = n === 0 ? ['move', 'orders', '--to', shop.other] : ['back', 'orders'];
  const { code, out, err } = await command(shop, ['store', ...words, '--json']);
  if (code === ROLLED_BACK) return 'rolled-back';
  if (code !== 0) {
    wrong.push(`banyan store ${words.join(' ')} ended with ${code}: ${err || out}`.slice(0, 2_000));
    return 'failed';
  }
  const { move, server } = JSON.parse(out);
  const at = (step: string) => {
    const found = move.steps.findLast((one: { step: string }) => one.step === step);
    return clock.at + Date.parse(found.at) - clock.date;
  };
  const [held, moved] = [at('held'), at('moved')];
  const { tables } = move as { tables: { table: string; rows: number; alike: boolean }[] };
  return {
    ...{ to: server, held, moved },
    seconds: (performance.now() - begun) / 1000,
    pauseMs: Math.round(move.numbers.total ?? 0),
    longestMs: Math.round(writers.longest(held, moved + AROUND_MS)),
    gapMs: Math.round(writers.gap(held, moved + AROUND_MS)),
    attempts: move.attempt,
    rowsCompared: tables.reduce((sum, one) => sum + one.rows, 0),
    differing: tables.filter(({ alike }) => !alike).map(({ table }) => table),
  };
}

/** Up to the next pause: what waits for that is no matter of how reads are done. */
function readAfter(moves: readonly Made[], readers: Readers): Moved[] {
  return moves.map(({ held: _, moved, ...one }, n) => {
    const until = Math.min(moved + FIRST_MS, moves[n + 1]?.held ?? Number.POSITIVE_INFINITY);
    return { ...one, reads: readers.waits(moved, until) };
  });
}

async function watch(shop: StoreShop, writers: Writers, readers: Readers, ms: number): Promise<Before> {
  const written = async () => {
    const [row] = await shop.shared.query<{ n: number }>(
      `SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::float8 AS n FROM pg_stat_user_tables WHERE schemaname = 'orders'`,
    );
    return row!.n;
  };
  // The first answers are those of a process that has just started.
  await pause(ms / 3);
  const [from, first] = [performance.now(), await written()];
  await pause(ms);
  const [until, last] = [performance.now(), await written()];
  return {
    writes: writers.waits(from, until),
    reads: readers.waits(from, until),
    rowsPerSecond: Math.round((last - first) / ((until - from) / 1000)),
  };
}

/** As an operator types it. */
export function command(
  shop: Pick<StoreShop, 'monoliths' | 'adminToken'>,
  words: readonly string[],
): Promise<{ code: number | null; out: string; err: string }> {
  const main = fileURLToPath(new URL('../../../bin/main.ts', import.meta.url));
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, BANYAN_URL: shop.monoliths[0]!.host.url, ADMIN_TOKEN: shop.adminToken };
  const child = spawn(process.execPath, [main, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

/** Old rows, half of them orders and half their lines. */
export async function fill({ shared, customers }: StoreShop, rows: number): Promise<void> {
  const ids = customers.map(({ id }) => id);
  await shared.query(
    `WITH made AS (
       INSERT INTO orders.orders (id, user_id, status, total_cents, currency, created_at, decided_at)
       SELECT uuidv7(), ($2::uuid[])[1 + n % cardinality($2)], 'confirmed', 700, 'EUR', now() - interval '1 day', now() - interval '1 day'
       FROM generate_series(1, $1::int) n RETURNING id)
     INSERT INTO orders.order_lines (order_id, position, product_id, name, quantity, unit_cents)
     SELECT id, 1, id, 'A thing', 1, 700 FROM made`,
    [Math.ceil(rows / 2), ids],
  );
  await shared.query('VACUUM ANALYZE orders.orders, orders.order_lines');
}

export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

/** All waits: the moves are a small part of them. */
function sentences({ moves, failed, books }: Pick<StoreOutcome, 'moves' | 'failed' | 'books'>): string[] {
  const differing = moves.flatMap((one) => one.differing);
  return [
    ...(failed.length > 0 ? [`${failed.length} requests failed; the first: ${failed[0]}`] : []),
    ...(differing.length > 0 ? [`the servers differed in ${[...new Set(differing)].join(', ')}`] : []),
    ...(moves.some(({ rowsCompared }) => rowsCompared === 0) ? ['a move compared no rows'] : []),
    ...differences(books),
  ];
}
