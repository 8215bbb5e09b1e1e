// What must be true of the store after moves, by its own tables and the events' verification: every order that a client was
// promised is there, each key made one, nothing is there that nobody asked for, and no event was lost, doubled or turned
// round. It must not know how often the store moved.
import { setTimeout as pause } from 'node:timers/promises';
import type { StoreShop } from './stage.ts';
import type { Writers } from './writers.ts';

export interface Books {
  readonly answered: number;
  readonly missing: number;
  readonly doubled: number;
  /** Written, though no client was told so. */
  readonly unanswered: number;
  readonly events: {
    readonly sent: number;
    readonly lost: number;
    readonly doubled: number;
    readonly inverted: number;
  };
  /** Orders that did not come to their end. */
  readonly open: number;
}

const PATIENCE_MS = 60_000;

type BookedShop = Pick<StoreShop, 'admin' | 'serverOf'>;

/** @param since when the writers began. */
export async function booksOf(shop: BookedShop, writers: Writers, since: Date): Promise<Books> {
  const { server } = await shop.admin('GET', '/admin/stores/orders');
  const store = shop.serverOf(server);
  const open = await atRest(() =>
    store.query<{ n: number }>(
      `SELECT (SELECT count(*) FROM orders.orders WHERE status = 'placed')::int + (SELECT count(*) FROM orders.event_outbox)::int AS n`,
    ),
  );
  const keys = await store.query<{ key: string; id: string }>(
    `SELECT key, order_id AS id FROM orders.idempotency_keys WHERE key LIKE 'store-%'`,
  );
  const orders = await store.query<{ id: string }>('SELECT id FROM orders.orders WHERE created_at >= $1', [
    since,
  ]);
  const written = new Set(orders.map(({ id }) => id));
  const byKey = new Map(keys.map(({ key, id }) => [key, id]));
  const known = new Set(keys.map(({ id }) => id));
  const { answered } = writers;
  const told = new Set(answered.map(({ key }) => key));
  const promised = answered.filter(({ key, id }) => byKey.get(key) !== id || !written.has(id));
  return {
    answered: answered.length,
    missing: promised.length,
    doubled: orders.filter(({ id }) => !known.has(id)).length + answered.length - told.size,
    unanswered: keys.filter(({ key }) => !told.has(key)).length,
    events: await eventsOf(shop, since),
    open,
  };
}

/** Until nothing is under way; what is left then. */
async function atRest(look: () => Promise<{ n: number }[]>): Promise<number> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const [{ n }] = (await look()) as [{ n: number }];
    if (n === 0 || Date.now() > deadline) return n;
    await pause(200);
  }
}

async function eventsOf(shop: BookedShop, since: Date): Promise<Books['events']> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { topics } = await shop.admin('GET', `/admin/events/verify?from=${since.toISOString()}`);
    const sum = { sent: 0, lost: 0, doubled: 0, inverted: 0 };
    let waiting = 0;
    for (const topic of topics) {
      sum.sent += topic.sent;
      waiting += topic.waiting;
      for (const one of [topic, ...topic.consumers]) {
        sum.lost += one.lost;
        sum.doubled += one.doubled;
        sum.inverted += one.inverted;
        waiting += (one.open ?? 0) + (one.inFlight ?? 0);
      }
    }
    if (waiting === 0 || Date.now() > deadline) return sum;
    await pause(300);
  }
}

/** What differs from what was promised, in sentences. */
export function differences({ answered, missing, doubled, unanswered, events, open }: Books): string[] {
  const said = (n: number, words: string) => (n === 0 ? [] : [`${n} ${words}`]);
  return [
    ...(answered === 0 ? ['no order was placed at all'] : []),
    ...said(missing, 'orders that a client was promised are not in the store'),
    ...said(doubled, 'orders are there twice'),
    ...said(unanswered, 'orders are there of which no client was told'),
    ...said(open, 'orders or events did not come to their end'),
    ...said(events.lost, 'events are lost'),
    ...said(events.doubled, 'events took effect twice'),
    ...said(events.inverted, 'events took effect in another order'),
  ];
}
