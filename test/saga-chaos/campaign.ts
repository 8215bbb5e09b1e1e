// Orders at a steady rate with a random mix of cards, cancellations and short stock, and reads between them, while the shop
// is disturbed (disturbances.ts). Then everything is left alone, and the sums are counted from the modules' tables and the
// network's ledger, and events by outboxes, log and inboxes against one another.
import { setTimeout as pause } from 'node:timers/promises';
import { createRandom, type Random } from '../chaos/random.ts';
import { wrongAtRest } from '../saga/sums.ts';
import { type Counts, disturb, noCounts } from './disturbances.ts';
import { faultsOfEvents } from './events.ts';
import { type Judged, judged, prepare } from './ladders.ts';
import { browse } from './reads.ts';
import { type LogKind, openStage, type Stage } from './stage.ts';
import { bringHome, type Moves, movesOf } from './stores.ts';

export interface CampaignOptions {
  readonly log: LogKind;
  readonly orders: number;
  readonly seed: number;
  /** Orders a second. */
  readonly rate: number;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface Outcome extends Readonly<Counts> {
  readonly seconds: number;
  readonly orders: Readonly<Record<string, number>>;
  readonly judged: Judged;
  /** Of stores. */
  readonly moves: Moves;
  /** Seconds of the slowest order from placed to final. */
  readonly slowest: number;
  readonly wrong: readonly string[];
}

const ENOUGH_MS = 60_000;
/** For each order. */
const READS = 2;
/** After the last order: leases, backoffs and silent networks end well within it. */
const PATIENCE_MS = 180_000;

/** Of a hundred. */
const cards: readonly (readonly [token: string, share: number])[] = [
  ['tok_ok', 72],
  ['tok_declined', 12],
  ['tok_flaky', 8],
  ['tok_lost', 4],
  ['tok_timeout', 4],
];

export async function campaign(options: CampaignOptions): Promise<Outcome> {
  const { log, orders, seed, rate, say, signal } = options;
  const random = createRandom(seed);
  const stage = await openStage(log, 'test');
  const began = Date.now();
  const counts = noCounts();
  const over = new AbortController();
  try {
    const customers = await Promise.all(Array.from({ length: 10 }, () => stage.customer()));
    const stock = new Map<string, number>();
    for (let n = 0; n < 20; n += 1) {
      // A quarter of the products is short: there is less than will be asked for.
      const pieces = n % 4 === 0 ? Math.ceil(orders / 60) : orders * 4;
      stock.set(await stage.product(pieces), pieces);
    }
    const products = [...stock.keys()];
    await prepare(stage);
    say(`${log}: ${orders} orders, ${rate}/s, seed ${seed}`);
    const disturbing = disturb(stage, random, counts, say, over.signal);
    const reading = browse(stage, random, { customers, products, rate: READS * rate }, over.signal);
    const placing: Promise<void>[] = [];
    for (let n = 0; n < orders; n += 1) {
      signal?.throwIfAborted();
      placing.push(
        order(stage, random, { token: random.pick(customers), products, key: `chaos-${seed}-${n}` }),
      );
      if (n % 500 === 499) say(`${log}: ${n + 1} placed, ${JSON.stringify(counts)}`);
      await pause(1_000 / rate);
    }
    await Promise.all(placing);
    await enough(stage, counts, signal);
    over.abort();
    const [unexpected] = await Promise.all([reading, disturbing]);
    const moves = await movesOf(stage);
    say(`${log}: all placed, ${JSON.stringify({ ...counts, ...moves })}; waiting until each is final`);
    const astray = await bringHome(stage, PATIENCE_MS);
    const wrong = [
      ...astray,
      ...(await wrongAtRest(stage.databaseUrl, stock, PATIENCE_MS, signal)),
      ...unexpected,
    ];
    wrong.push(...(await faultsOfEvents(stage, new Date(began), PATIENCE_MS)));
    const { rows } = await stage.database.query<{ what: string; n: number; slowest: number }>(`
      SELECT saga || ' ' || status || coalesce(' ' || reason, '') AS what, count(*)::int AS n,
        max(extract(epoch FROM decided_at - created_at))::float AS slowest
      FROM orders.orders GROUP BY 1 ORDER BY 1`);
    const made = rows.reduce((sum, { n }) => sum + n, 0);
    if (made !== orders) wrong.push(`${orders} orders were placed, there are ${made}`);
    return {
      ...counts,
      judged: await judged(stage),
      moves,
      seconds: (Date.now() - began) / 1_000,
      orders: Object.fromEntries(rows.map(({ what, n }) => [what, n])),
      slowest: Math.max(...rows.map(({ slowest }) => slowest)),
      wrong,
    };
  } finally {
    over.abort();
    await stage.stop();
  }
}

/** A short run on a slow machine goes on until everything has happened once that it is about. */
async function enough(stage: Stage, counts: Counts, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + ENOUGH_MS;
  const least = async () => {
    const { moved } = await movesOf(stage);
    return Math.min(counts.ladders, counts.mirrors, counts.judgesKilled, moved);
  };
  while ((await least()) === 0 && Date.now() < deadline) {
    signal?.throwIfAborted();
    await pause(100);
  }
}

interface Buy {
  readonly token: string;
  readonly products: readonly string[];
  readonly key: string;
}

/** Places it under one key until somebody answers 202, and perhaps cancels it a moment later. */
async function order(stage: Stage, random: Random, { token, products, key }: Buy): Promise<void> {
  let draw = random.below(100);
  const [paymentToken] = cards.find(([, share]) => {
    draw -= share;
    return draw < 0;
  })!;
  const lines = [...new Set([random.pick(products), random.pick(products)])].map((productId) => ({
    productId,
    quantity: 1 + random.below(2),
  }));
  const cancelAfter = random.next() < 0.15 ? random.below(400) : undefined;
  const body = { lines, paymentToken };
  const headers = { 'idempotency-key': key };
  const { id } = await insist(() => stage.call('POST', '/api/orders', { token, headers, body }), [202]);
  if (cancelAfter === undefined) return;
  await pause(cancelAfter);
  await insist(() => stage.call('DELETE', `/api/orders/${id}`, { token }), [200, 202, 409]);
}

/** Processes die under requests: asked again until one of these answers comes. */
async function insist(ask: () => ReturnType<Stage['call']>, wanted: readonly number[]) {
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer && wanted.includes(answer.status)) return answer.body;
    if (answer && answer.status < 500) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    await pause(200);
  }
}
