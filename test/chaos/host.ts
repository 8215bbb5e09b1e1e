// A host of the chaos run: a process with the library's real event runtimes of two modules, its background work
// where the placement that it was last told says. `shop` sells and notes each payment; `till` notes each sale
// and publishes the payment in the same transaction. Run by crew.ts, which talks to it; ends with its parent.
import { pino } from 'pino';
import { createEventRuntime } from '../../src/banyan/events/runtime.ts';
import { openStore, quiet, shop, till, urlOf } from '../../src/banyan/events/testing/shop.ts';
import { createBackground } from '../../src/banyan/jobs/background.ts';
import { createKafkaLog } from '../../src/banyan/log/kafka/log.ts';
import { createPostgresLog } from '../../src/banyan/log/postgres.ts';
import type { Placement, Placements, Side, Snapshot } from '../../src/banyan/routing/snapshot.ts';
import { on } from '../../src/banyan/saga/on.ts';
import { createRandom } from './random.ts';
import { sell } from './sale.ts';
import { unreliable } from './unreliable.ts';

export interface HostConfig {
  readonly id: string;
  /** The placement under which this host does a module's background work. */
  readonly mine: Side;
  readonly databaseUrl: string;
  readonly logUrl: string;
  readonly brokerUrl: string | undefined;
  readonly keys: number;
  readonly seed: number;
  readonly placed: Placed;
  /** Where the shop's store is, by its administrator's URL. */
  readonly shop: { readonly url: string; readonly held: boolean };
  /** Says on stderr what the library logs. */
  readonly verbose: boolean;
}

/** Where each module is, and since when. */
export type Placed = Readonly<Record<'shop' | 'till', { placement: Placement; changedAt: string }>>;

export type Order =
  | { kind: 'place'; placed: Placed }
  | { kind: 'sell'; count: number }
  | { kind: 'disturb'; ms: number }
  | { kind: 'hold' }
  | { kind: 'go'; url: string };
export type Report = { kind: 'ready' } | { kind: 'held' } | { kind: 'sold'; granted: number };

const config = JSON.parse(process.argv[2]!) as HostConfig;
const random = createRandom(config.seed);
const UNDONE = 0.02;
const AT_ONCE = 3;

const logger = config.verbose
  ? pino({ level: 'debug', name: config.id }, pino.destination({ fd: 2, sync: true }))
  : quiet;

const listeners = new Set<(snapshot: Snapshot) => void>();
const placements = { current: snapshot(config.placed) } as Placements & { current: Snapshot };
Object.assign(placements, {
  subscribe(listener: (snapshot: Snapshot) => void) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  refresh: async () => placements.current,
});

const log = unreliable(
  config.brokerUrl
    ? createKafkaLog({ url: config.brokerUrl, clientId: config.id, log: logger })
    : createPostgresLog({ url: config.logUrl, log: logger }),
  random,
);
const stores = {
  shop: openStore(shop, config.shop.url, () => selling.wake()),
  till: openStore(till, config.databaseUrl, () => paying.wake()),
};
if (config.shop.held) void stores.shop.pool.hold();
const common = { contracts: [shop, till], eventLog: log, hostId: config.id, log: logger };
const selling = createEventRuntime({
  ...common,
  contract: shop,
  store: stores.shop,
  listeners: [
    on(till.events.paid, async ({ orderId, n }, { tx, delivery }) => {
      await tx.sql.query('INSERT INTO shop.receipt (id, key, n) VALUES ($1, $2, $3)', [
        delivery.envelope.id,
        orderId,
        n,
      ]);
    }),
  ],
});
const paying = createEventRuntime({
  ...common,
  contract: till,
  store: stores.till,
  listeners: [
    on(shop.events.sold, async ({ orderId, n }, { tx, delivery }) => {
      await tx.sql.query('INSERT INTO effect (id, key, n) VALUES ($1, $2, $3)', [
        delivery.envelope.id,
        orderId,
        n,
      ]);
      await tx.publish(till.events.paid, { orderId, n });
    }),
  ],
});

createBackground({
  mine: config.mine,
  placements,
  log: pino({ level: 'silent' }),
  tasks: new Map([
    ['shop', [selling.relay, selling.consumers]],
    ['till', [paying.relay, paying.consumers]],
  ]),
}).start();

let waiting = 0;
let running = 0;

function work(): void {
  while (waiting > 0 && running < AT_ONCE) {
    waiting -= 1;
    running += 1;
    const key = `key-${random.below(config.keys)}`;
    sell(stores.shop, key, random.next() < UNDONE)
      // Not sold, or nobody knows: the harness counts the rows in the end and orders what is missing.
      .catch(() => new Promise((resolve) => setTimeout(resolve, 100)))
      .finally(() => {
        running -= 1;
        report({ kind: 'sold', granted: 1 });
        work();
      });
  }
}

process.on('message', (order: Order) => {
  if (order.kind === 'disturb') return log.disturb(order.ms);
  if (order.kind === 'hold') return void hold();
  if (order.kind === 'go') return void go(order.url);
  if (order.kind === 'sell') {
    waiting += order.count;
    return work();
  }
  // Hosts learn of a change at different moments.
  setTimeout(
    () => {
      placements.current = snapshot(order.placed);
      for (const listener of listeners) listener(placements.current);
    },
    random.between(0, 500),
  );
});
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {});
report({ kind: 'ready' });

async function hold(): Promise<void> {
  if (await stores.shop.pool.hold()) report({ kind: 'held' });
}

async function go(adminUrl: string): Promise<void> {
  const { pool } = stores.shop;
  const url = urlOf(adminUrl, 'banyan_shop');
  if (url !== pool.options.connectionString) await pool.switchTo(url, true);
  pool.release();
}

function report(one: Report): void {
  if (process.connected) process.send!(one, () => {});
}

function snapshot(placed: Placed): Snapshot {
  const modules = Object.fromEntries(
    Object.entries(placed).map(([module, where]) => [
      module,
      {
        ...where,
        module,
        percent: where.placement === 'service' ? 100 : 0,
        changedBy: 'chaos',
        instances: [],
      },
    ]),
  );
  return { version: 1, modules, monoliths: [], revoked: {} };
}
