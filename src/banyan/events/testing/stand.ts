// A stand for tests: a database with both modules, a log, and as many hosts as a test wants. `till` writes each
// event that it handles into the table `effect`; what the table says in the end is what happened.

import type { EventLog, LogLogger } from '../../log/port.ts';
import { createPostgresLog } from '../../log/postgres.ts';
import { on } from '../../saga/on.ts';
import type { OpenStore } from '../../store/create.ts';
import type { Delivery } from '../envelope.ts';
import type { Listener } from '../listener.ts';
import { createEventRuntime, type EventRuntime, type EventRuntimeOptions } from '../runtime.ts';
import { openDatabase } from './server.ts';
import { openStore, provisionShop, quiet, shop, till, urlOf } from './shop.ts';

export interface Sold {
  readonly orderId: string;
  readonly n: number;
}

export interface HostOptions extends Partial<Pick<EventRuntimeOptions, 'steps' | 'timing' | 'concurrency'>> {
  readonly hostId?: string;
  readonly listeners?: readonly Listener[];
  /** Runs before the effect is written; throws to fail. */
  readonly before?: (data: Sold, delivery: Delivery) => Promise<void> | void;
  readonly retry?: Listener['retry'];
  /** The listener reads an answer before its last statement, so it does not go side by side with others. */
  readonly waits?: boolean;
  readonly eventLog?: EventLog;
  readonly log?: LogLogger;
}

export interface TestHost {
  readonly shop: EventRuntime;
  readonly till: EventRuntime;
  readonly shopStore: OpenStore<undefined>;
  readonly tillStore: OpenStore<undefined>;
  readonly eventLog: EventLog;
  /** Publishes in one transaction. */
  sell(...events: Sold[]): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface Effect {
  readonly id: string;
  readonly key: string;
  readonly n: number;
}

export interface Stand {
  readonly url: string;
  host(options?: HostOptions): TestHost;
  effects(): Promise<Effect[]>;
  /** Runs SQL as the administrator. */
  query<R extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<R[]>;
  close(): Promise<void>;
}

/** `makeLog` answers a log of its own for each host; the stand closes it. */
export async function openStand(serverUrl: string, makeLog?: (host: string) => EventLog): Promise<Stand> {
  const { url, drop } = await openDatabase(serverUrl);
  await provisionShop(url);
  const { Pool } = await import('pg');
  const admin = new Pool({ connectionString: url, max: 4 });
  admin.on('error', () => {});
  const hosts: TestHost[] = [];
  const query: Stand['query'] = async (text, values) => (await admin.query(text, values)).rows;
  return {
    url,
    query,
    host(options = {}) {
      const host = openHost(url, options, makeLog);
      hosts.push(host);
      return host;
    },
    effects: async () =>
      (
        await query<{ id: string; key: string; n: string }>(
          'SELECT id, key, n FROM till.effect ORDER BY position',
        )
      ).map((row) => ({ ...row, n: Number(row.n) })),
    async close() {
      await Promise.all(hosts.map((host) => host.close()));
      await admin.end();
      await drop();
    },
  };
}

function openHost(url: string, options: HostOptions, makeLog?: (host: string) => EventLog): TestHost {
  const hostId = options.hostId ?? 'monolith';
  let shopRuntime: EventRuntime | undefined;
  let tillRuntime: EventRuntime | undefined;
  const shopStore = openStore(shop, url, () => shopRuntime?.wake());
  const tillStore = openStore(till, url, () => tillRuntime?.wake());
  const eventLog =
    options.eventLog ??
    makeLog?.(hostId) ??
    createPostgresLog({ url: urlOf(url, 'banyan_log'), log: quiet, pollMs: 200 });
  const common = {
    contracts: [shop, till],
    eventLog,
    hostId,
    log: options.log ?? quiet,
    steps: options.steps,
    timing: { pollMs: 200, ...options.timing },
    concurrency: options.concurrency,
  };
  const runtimes = {
    shop: createEventRuntime({ ...common, contract: shop, listeners: [], store: shopStore }),
    till: createEventRuntime({
      ...common,
      contract: till,
      store: tillStore,
      listeners: options.listeners ?? [writeEffect(options)],
    }),
  };
  shopRuntime = runtimes.shop;
  tillRuntime = runtimes.till;
  let closed: Promise<void> | undefined;
  return {
    ...runtimes,
    shopStore,
    tillStore,
    eventLog,
    sell: (...events) =>
      shopStore.transaction(async (tx) => {
        for (const one of events) await tx.publish(shop.events.sold, one);
      }),
    async start() {
      await Promise.all([
        runtimes.shop.relay.start(),
        runtimes.till.relay.start(),
        runtimes.till.consumers.start(),
      ]);
    },
    close() {
      closed ??= (async () => {
        await Promise.all([runtimes.shop.close(), runtimes.till.close()]);
        await eventLog.close();
        await Promise.all([shopStore.close(), tillStore.close()]);
      })();
      return closed;
    },
  };
}

function writeEffect({ before, retry, waits }: HostOptions): Listener {
  return on(
    shop.events.sold,
    async (data, { tx, delivery }) => {
      await before?.(data, delivery);
      await tx.sql.query('INSERT INTO effect (id, key, n) VALUES ($1, $2, $3)', [
        delivery.envelope.id,
        data.orderId,
        data.n,
      ]);
      if (waits) await tx.sql.query('SELECT FROM effect LIMIT 1');
      await tx.publish(till.events.paid, { orderId: data.orderId, n: data.n });
    },
    { retry },
  );
}

/** Each key's effects in their order; what every test in the end asks. */
export function byKey(effects: readonly Effect[]): Record<string, number[]> {
  const result: Record<string, number[]> = {};
  for (const { key, n } of effects) {
    result[key] ??= [];
    result[key].push(n);
  }
  return result;
}
