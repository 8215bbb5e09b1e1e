// The piece `running`: shadows of orders in a shop that runs, a monolith and a service as in production, with relays, consumers
// and jobs. Reads are asked for by clients and mirrored, while a ladder waits on its first rung; orders are placed as
// shadows alone, by the monolith's word. Nothing may change but what says that somebody lives (heartbeats, leases) and
// what the ladder keeps (evidence, samples).
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { newTraceparent } from '../../../src/banyan/context/trace.ts';
import type { Contract } from '../../../src/banyan/contract/contract.ts';
import { loadContract } from '../../../src/banyan/host/load.ts';
import type { Ladder } from '../../../src/banyan/ladder/desk/contract.ts';
import { shopApp } from '../../../src/shop.ts';
import { tokensAs } from '../../../stage/ring.ts';
import { changes, type State, stateOf } from '../../rolled-back/rows.ts';
import { remoteTo } from '../../shadow/remote.ts';
import { unique } from '../../unique.ts';
import { Findings } from '../share/findings.ts';
import { type ClimbedShop, openClimbedShop } from './climbed-shop.ts';
import { figure, type Outcome, type Play } from './outcome.ts';

export interface RunningOptions extends Play {
  /** Of clients, and as many orders that are only tried. */
  readonly reads: number;
}

/** Who says so lives; every module has a lease. */
const ALIVE = /^(banyan_control\.host|banyan_log\.member|\w+\.event_lease)$/;
const KEPT = /^banyan_control\.(ladder|ladder_evidence|ladder_sample)$/;
const PATIENCE_MS = 60_000;
const BUDGET_MS = 5_000;

export async function playRunning(options: RunningOptions): Promise<Outcome> {
  const { reads, say, signal } = options;
  const began = performance.now();
  say('running: starting PostgreSQL, a monolith and a service of orders');
  const shop = await openClimbedShop({ module: 'orders', percent: 50 }, signal);
  const database = new pg.Client({ connectionString: shop.databaseUrl });
  try {
    await database.connect();
    const found = new Findings();
    const orders = await placeOrders(shop);
    await shop.admin('PUT', '/admin/services/orders', { instances: 1 });
    // More than there will be: it stays where it is.
    await shop.admin('PUT', '/admin/ladders/orders', { steps: ['shadow', 50], minRequests: 1_000_000 });
    const before = await atRest(database, signal);
    const wrote = await tryOrders(shop, reads, signal);
    say(`running: ${figure(reads)} orders were tried`);
    const { asked, shadow } = await readOrders(shop, orders, options, found);
    const after = changes(before, await stateOf(database));
    for (const [table, more] of Object.entries(after))
      if (!ALIVE.test(table) && !KEPT.test(table)) found.add('left', `${table}, ${more} rows more`);
    if (!wrote.has('202')) found.add('no order was tried to its end', JSON.stringify([...wrote]));
    if (shadow.mirrored === 0) found.add('no read was mirrored', JSON.stringify(shadow));
    const tables = Object.keys(after);
    return {
      piece: 'running',
      command: `npm run rehearse -- ladder running --reads ${reads}`,
      seconds: (performance.now() - began) / 1000,
      table: [
        ['what', 'count'],
        ['reads by clients, each answered with 200', figure(asked)],
        [
          'of them mirrored',
          `${figure(shadow.mirrored)}, of which ${shadow.differed} differed; ${shadow.skipped} skipped, ${shadow.failed} failed`,
        ],
        ...[...wrote].sort().map(([how, n]) => [`orders tried: ${how}`, figure(n)] as const),
        ['tables that changed: who lives', tables.filter((one) => ALIVE.test(one)).join(', ')],
        ['tables that changed: the ladder', tables.filter((one) => KEPT.test(one)).join(', ')],
        ['tables of which every row is as before', figure(before.size - tables.length)],
      ],
      notes: ['A monolith and a service of orders as in production, with relays, consumers and jobs.'],
      wrong: found.sentences(),
    };
  } finally {
    await database.end();
    await shop.stop();
  }
}

/** Some, of one customer, to be read; final. */
async function placeOrders({ url, stock }: ClimbedShop): Promise<{ token: string; ids: string[] }> {
  const token = stock.customers[0]!;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const answer = await fetch(new URL('/api/orders', url), {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': unique('order') },
      body: JSON.stringify(ordered(stock.products[0]!)),
    });
    if (answer.status !== 202) throw new Error(`an order: ${answer.status} ${await answer.text()}`);
    ids.push(((await answer.json()) as { id: string }).id);
  }
  return { token, ids };
}

const ordered = (productId: string) => ({ lines: [{ productId, quantity: 1 }], paymentToken: 'tok_ok' });

/** Once nothing changes any more for a while but who lives. */
async function atRest(database: pg.Client, signal: AbortSignal): Promise<State> {
  const deadline = Date.now() + PATIENCE_MS;
  let before = await stateOf(database);
  for (let calm = 0; calm < 5; ) {
    signal.throwIfAborted();
    await pause(500);
    const now = await stateOf(database);
    const moving = Object.keys(changes(before, now)).filter((one) => !ALIVE.test(one) && !KEPT.test(one));
    calm = moving.length === 0 ? calm + 1 : 0;
    if (Date.now() > deadline) throw new Error(`the shop does not come to rest: ${moving.join(', ')}`);
    before = now;
  }
  return before;
}

/** By status, or by why it says nothing. */
async function tryOrders(
  shop: ClimbedShop,
  count: number,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const { databaseUrl, rootKey, stock, admin } = shop;
  const { modules } = await admin<{ modules: { module: string; instances: { url: string }[] }[] }>(
    'GET',
    '/admin/placements',
  );
  const { url } = modules.find(({ module }) => module === 'orders')!.instances[0]!;
  const tokens = await tokensAs({ databaseUrl, rootKey }, 'monolith');
  const remote = remoteTo({ orders: url }, 'monolith', tokens);
  const contract: Contract = await loadContract(shopApp, 'orders');
  const came = new Map<string, number>();
  try {
    for (let n = 0; n < count; n += 1) {
      signal.throwIfAborted();
      const input = { idempotencyKey: unique('tried'), ...ordered(stock.products[n % 5]!) };
      const flow = { deadline: Date.now() + BUDGET_MS, traceparent: newTraceparent() };
      const of = { principal: userOf(stock.customers[0]!), address: undefined, flow };
      const how = await remote
        .tried(contract, 'place', input, 'monolith', 'service', { key: 'k' }, of)
        .then(({ status, disturbed }) => disturbed ?? String(status))
        .catch((error: unknown) => `no answer: ${(error as Error).message}`);
      came.set(how, (came.get(how) ?? 0) + 1);
    }
  } finally {
    await remote.close();
  }
  return came;
}

function userOf(token: string) {
  const { sub } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sub: string };
  return { kind: 'user', id: sub, role: 'customer', epoch: 0, session: 'tried' } as const;
}

/** As many as asked for; and more while a busy machine has the mirror leave off. */
async function readOrders(
  { url, admin }: ClimbedShop,
  { token, ids }: { token: string; ids: string[] },
  { reads, signal }: RunningOptions,
  found: Findings,
): Promise<{ asked: number; shadow: Ladder['shadow'] }> {
  const paths = ['/api/orders', ...ids.map((id) => `/api/orders/${id}`)];
  const deadline = Date.now() + PATIENCE_MS;
  for (let asked = 0; ; ) {
    signal.throwIfAborted();
    const path = paths[asked % paths.length]!;
    const answer = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` }, signal });
    await answer.arrayBuffer();
    if (answer.status !== 200) found.add('a read failed', `${path}: ${answer.status}`);
    asked += 1;
    if (asked < reads || asked % 10 !== 0) continue;
    await pause(500);
    const { shadow } = await admin<Ladder>('GET', '/admin/ladders/orders');
    if (shadow.mirrored > 0 || Date.now() > deadline) return { asked, shadow };
  }
}
