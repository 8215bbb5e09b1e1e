// Orders at a steady rate with a random mix of cards, cancellations and short stock, while modules move, orders and
// payments have a share of their requests elsewhere, the style changes every two seconds and processes are killed. Then
// everything is left alone, and the sums are counted from the modules' tables and the network's ledger.
import { setTimeout as pause } from 'node:timers/promises';
import { createRandom, type Random } from '../chaos/random.ts';
import { discrepancies } from '../saga/sums.ts';
import { type LogKind, modules, openStage, type Stage } from './stage.ts';

export interface CampaignOptions {
  readonly log: LogKind;
  readonly orders: number;
  readonly seed: number;
  /** Orders a second. */
  readonly rate: number;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface Outcome {
  readonly seconds: number;
  readonly orders: Readonly<Record<string, number>>;
  readonly flips: number;
  /** Changes of the share of orders or of payments. */
  readonly shares: number;
  readonly styleChanges: number;
  readonly kills: number;
  /** Seconds of the slowest order from placed to final. */
  readonly slowest: number;
  readonly wrong: readonly string[];
}

const STYLE_EVERY_MS = 2_000;
const SHARE_EVERY_MS = 1_700;
const KILL_EVERY_MS = 4_000;
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
  const counts = { flips: 0, shares: 0, styleChanges: 0, kills: 0 };
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
    say(`${log}: ${orders} orders, ${rate}/s, seed ${seed}`);
    const disturbing = disturb(stage, random, counts, say, over.signal);
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
    over.abort();
    await disturbing;
    say(`${log}: all placed, ${JSON.stringify(counts)}; waiting until each is final`);
    const wrong = await settled(stage, stock, signal);
    const { rows } = await stage.database.query<{ what: string; n: number; slowest: number }>(`
      SELECT saga || ' ' || status || coalesce(' ' || reason, '') AS what, count(*)::int AS n,
        max(extract(epoch FROM decided_at - created_at))::float AS slowest
      FROM orders.orders GROUP BY 1 ORDER BY 1`);
    const made = rows.reduce((sum, { n }) => sum + n, 0);
    if (made !== orders) wrong.push(`${orders} orders were placed, there are ${made}`);
    return {
      ...counts,
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

/** What is still wrong when nothing moves any more, or when patience ends. */
async function settled(stage: Stage, stock: ReadonlyMap<string, number>, signal?: AbortSignal) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    signal?.throwIfAborted();
    const wrong = await discrepancies({ started: { databaseUrl: stage.databaseUrl } }, stock);
    if (wrong.length === 0 || Date.now() > deadline) return wrong;
    await pause(500);
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

async function disturb(
  stage: Stage,
  random: Random,
  counts: { flips: number; shares: number; styleChanges: number; kills: number },
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let monolithAway = false;
  const every = async (ms: number, what: () => Promise<void>) => {
    while (!signal.aborted) {
      await pause(ms, undefined, { signal }).catch(() => {});
      // What meets a dead monolith, or a drain that takes too long, comes again later.
      if (!signal.aborted && !monolithAway) await what().catch(() => {});
    }
  };
  const away = new Set<string>();
  await Promise.all([
    every(STYLE_EVERY_MS, async () => {
      const { style } = await stage.admin('GET', '/admin/saga');
      const other = style === 'choreography' ? 'orchestration' : 'choreography';
      await stage.admin('PUT', '/admin/saga', { style: other });
      counts.styleChanges += 1;
    }),
    every(1_500, async () => {
      const module = random.pick(modules);
      await stage.place(module, away.has(module) ? 'in-process' : 'service');
      if (!away.delete(module)) away.add(module);
      counts.flips += 1;
    }),
    every(SHARE_EVERY_MS, async () => {
      const module = random.pick(['orders', 'payments'] as const);
      await stage.share(module, random.pick([10, 50, 90]));
      away.add(module);
      counts.shares += 1;
    }),
    every(KILL_EVERY_MS, async () => {
      const { rows } = await stage.database.query<{ id: string; pid: number }>(
        `SELECT id, pid FROM banyan_control.host WHERE live AND role = 'service' ORDER BY id`,
      );
      // One in eight kills is the monolith's: nothing moves until it is back.
      if (random.next() < 0.125) {
        monolithAway = true;
        await stage.strike().finally(() => {
          monolithAway = false;
        });
        say('killed the monolith');
      } else {
        if (rows.length === 0) return;
        const { id, pid } = random.pick(rows);
        process.kill(pid, 'SIGKILL');
        say(`killed ${id}`);
      }
      counts.kills += 1;
    }),
  ]);
}
