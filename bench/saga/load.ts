// Orders by one customer's requests over HTTP, and what became of them: as many as go at a steady number in
// flight, or so many a second. The time from the 202 to the decision is read from the orders' own rows, whose
// clock is this machine's.
import { setTimeout as pause } from 'node:timers/promises';
import { Pool as HttpPool } from 'undici';
import type { Stage } from '../../test/saga-chaos/stage.ts';

export interface Buyers {
  readonly tokens: readonly string[];
  readonly products: readonly string[];
}

export interface Placed {
  readonly seconds: number;
  /** Confirmed in a second, from the first request to the last confirmation. */
  readonly perSecond: number;
  /** Milliseconds from the 202 to the decision. */
  readonly p50: number;
  readonly p99: number;
}

export interface Load {
  readonly orders: number;
  /** Requests in flight; with `perSecond` at most so many. */
  readonly inFlight: number;
  readonly perSecond?: number;
}

let counter = 0;
const schemas = ['orders', 'catalog', 'payments', 'notifications', 'users'];

export async function buy(stage: Stage, { tokens, products }: Buyers, load: Load): Promise<Placed> {
  const { orders, inFlight, perSecond } = load;
  const http = new HttpPool(stage.url, { connections: inFlight });
  const answered = new Map<string, number>();
  const began = Date.now();
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < orders; n = next++) {
      if (perSecond) {
        const wait = began + (n * 1_000) / perSecond - Date.now();
        if (wait > 1) await pause(wait);
      }
      counter += 1;
      const { statusCode, body } = await http.request({
        method: 'POST',
        path: '/api/orders',
        headers: {
          authorization: `Bearer ${tokens[n % tokens.length]}`,
          'content-type': 'application/json',
          'idempotency-key': `bench-${process.pid}-${counter}`,
        },
        body: JSON.stringify({
          lines: [{ productId: products[n % products.length], quantity: 1 }],
          paymentToken: 'tok_ok',
        }),
      });
      const text = await body.text();
      if (statusCode !== 202) throw new Error(`${statusCode} ${text}`);
      answered.set((JSON.parse(text) as { id: string }).id, Date.now());
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  await http.close();
  await settled(stage);
  const { rows } = await stage.database.query<{ id: string; status: string; at: Date }>(
    'SELECT id, status, decided_at AS at FROM orders.orders WHERE id = ANY ($1::uuid[])',
    [[...answered.keys()]],
  );
  const lost = rows.filter(({ status }) => status !== 'confirmed').length + orders - rows.length;
  if (lost > 0) throw new Error(`${lost} of ${orders} orders were not confirmed`);
  const times = rows.map(({ id, at }) => Math.max(0, at.getTime() - answered.get(id)!)).sort((a, b) => a - b);
  const seconds = (Math.max(...rows.map(({ at }) => at.getTime())) - began) / 1_000;
  const part = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!;
  return { seconds, perSecond: orders / seconds, p50: part(0.5), p99: part(0.99) };
}

/** Until every order is decided and mailed: what comes after belongs to the price of an order as well. */
export async function settled({ database }: Stage): Promise<void> {
  for (;;) {
    const { rows } = await database.query<{ open: boolean }>(`
      SELECT EXISTS (SELECT FROM orders.orders WHERE status = 'placed')
        OR EXISTS (SELECT FROM orders.sagas WHERE path <> 'done')
        OR EXISTS (SELECT FROM notifications.notifications WHERE status = 'pending')
        OR ${schemas.map((schema) => `EXISTS (SELECT FROM ${schema}.event_outbox)`).join(' OR ')} AS open`);
    if (!rows[0]!.open) return;
    await pause(50);
  }
}

/** Events sent, and commands asked, since the shop began. */
export async function messages({ database }: Stage): Promise<{ events: number; commands: number }> {
  const sum = schemas.map((schema) => `(SELECT count(*) FROM ${schema}.event_sent)`).join(' + ');
  const { rows } = await database.query<{ events: number; commands: number }>(
    `SELECT (${sum})::int AS events, (
       SELECT count(*)::int FROM orders.saga_steps s JOIN orders.orders o ON o.id = s.saga_id
       WHERE o.saga = 'orchestration'
         AND step IN ('reserve-stock', 'capture-payment', 'sell-stock', 'mail-customer', 'release-stock', 'refund-payment')
     ) AS commands`,
  );
  return rows[0]!;
}
