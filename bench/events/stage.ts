// What the event benchmarks stand on: a PostgreSQL server with the test modules' schemas, a broker where Java is
// there, events prefilled by SQL. And the few numbers that every table needs.
import { join } from 'node:path';
import { Pool } from 'pg';
import { type Broker, missingForBroker, startBroker } from '../../src/banyan/events/testing/broker.ts';
import { openDatabase, openServer, type TestServer } from '../../src/banyan/events/testing/server.ts';
import { provisionShop, quiet } from '../../src/banyan/events/testing/shop.ts';
import { createClient } from '../../src/banyan/log/kafka/client.ts';

const cacheDir = join(import.meta.dirname, '../../node_modules/.cache/kafka');

export interface Sizes {
  /** Rows prefilled for the relay. */
  readonly rows: number;
  /** Seconds of steady load for latencies. */
  readonly seconds: number;
  readonly pairs: number;
  /** Events delivered beside the peers. */
  readonly deliveries: number;
  readonly strikes: number;
}

export interface Stage {
  readonly server: TestServer;
  readonly broker: Broker | undefined;
  readonly missingBroker: string | undefined;
  readonly sizes: Sizes;
  /** A database of its own with both modules; dropped when the work is done. */
  database<T>(work: (url: string, admin: Pool) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function openStage(sizes: Sizes): Promise<Stage> {
  const missingBroker = await missingForBroker(cacheDir);
  const server = await openServer();
  const broker = missingBroker
    ? undefined
    : await startBroker({ cacheDir, say: (line) => console.error(line) }).catch(async (error: unknown) => {
        await server.stop();
        throw error;
      });
  return {
    server,
    broker,
    missingBroker,
    sizes,
    async database(work) {
      const { url, drop } = await openDatabase(server.url);
      await provisionShop(url);
      const admin = new Pool({ connectionString: url, max: 3 });
      admin.on('error', () => {});
      try {
        return await work(url, admin);
      } finally {
        await admin.end();
        await drop();
      }
    },
    async close() {
      await Promise.all([server.stop(), broker?.stop()]);
    },
  };
}

/** The modules' topics, empty again: they outlive the databases of the measurements. */
export async function emptyTopics(brokerUrl: string): Promise<void> {
  const admin = createClient(brokerUrl, 'emptier', quiet).admin();
  await admin.connect();
  const ours = async () => (await admin.listTopics()).filter((topic) => /^(shop|till)\./.test(topic));
  const topics = await ours();
  if (topics.length > 0) await admin.deleteTopics({ topics });
  while ((await ours()).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  await admin.disconnect();
}

/** Events of 350 bytes of data for a thousand keys, in the outbox as if they had been published. */
export async function prefill(admin: Pool, rows: number): Promise<void> {
  await admin.query(
    `INSERT INTO shop.event_outbox (id, topic, key, sequence, type, data, correlation_id)
     SELECT gen_random_uuid(), 'shop.events', 'key-' || n % 1000, n / 1000 + 1, 'shop.sold.v1',
       json_build_object('orderId', 'key-' || n % 1000, 'n', n / 1000 + 1, 'pad', repeat('x', 300)), 'bench'
     FROM generate_series(0, $1::int - 1) n`,
    [rows],
  );
  await admin.query(
    `INSERT INTO shop.event_key (key, sequence, updated_at)
     SELECT key, max(sequence), now() FROM shop.event_outbox GROUP BY key`,
  );
  await admin.query('VACUUM ANALYZE shop.event_outbox');
}

export function median(some: readonly number[]): number {
  return percentile(some, 0.5);
}

export function percentile(some: readonly number[], share: number): number {
  const sorted = [...some].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const whole = (n: number): string => Math.round(n).toLocaleString('en-US');
export const ratio = (n: number): string => `${n.toFixed(2)}x`;
export const ms = (n: number): string => `${n.toFixed(n < 10 ? 2 : 0)} ms`;

/** What was measured beside what; `runs` are the ratios (or the values) of each repeat. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly beside: string;
  /** The median of `runs`, as it is written. */
  readonly ratio: string;
  readonly runs: readonly number[];
  readonly goal: string;
  /** Undefined where there is no goal. */
  readonly met?: boolean;
}

export function line({ what, ours, beside, ratio: of, runs, goal, met }: Row): string {
  const spread =
    runs.length > 1
      ? `${runs.length}: ${short(Math.min(...runs))} to ${short(Math.max(...runs))}`
      : `${runs.length}`;
  const verdict = met === undefined ? goal : `${goal}: ${met ? 'met' : '**MISSED**'}`;
  return `| ${[what, ours, beside, of, spread, verdict].join(' | ')} |`;
}

const short = (n: number) => (Math.abs(n) >= 100 ? whole(n) : n.toFixed(2));
