// What a chaos run stands on: a PostgreSQL server for the modules, and the log on something of its own that can
// die alone (a real Kafka broker, or a second PostgreSQL server); where the shop's store is to move, another server that it is
// paired with. All of it is gone after `stop`.
// Beside the product's tables there are the business rows of the sales, the effects at both consumers, and a
// ledger that a trigger writes: which outbox rows were ever committed, whatever the relay says of them.
import { join } from 'node:path';
import { Pool } from 'pg';
import { type Broker, startBroker } from '../../src/banyan/events/testing/broker.ts';
import { openServer, type TestServer } from '../../src/banyan/events/testing/server.ts';
import { provisionShop, urlOf } from '../../src/banyan/events/testing/shop.ts';
import { markerTable } from '../../src/banyan/servers/pair/tables.ts';
import { StoreMover } from './mover.ts';

export type LogKind = 'postgres' | 'kafka';

export const cacheDir = join(import.meta.dirname, '../../node_modules/.cache/kafka');

export interface Ground {
  readonly kind: LogKind;
  readonly databaseUrl: string;
  /** As the role of the log; unused with a broker. */
  readonly logUrl: string;
  readonly brokerUrl: string | undefined;
  readonly database: TestServer;
  /** Undefined: the shop's store stays. */
  readonly mover: StoreMover | undefined;
  /** Where a module's rows are. Survives restarts: a query that meets one throws, the next one works. */
  at(module: 'shop' | 'till'): Pool;
  /** The log dies at once and comes back with what it had written. */
  strikeLog(): Promise<void>;
  stop(): Promise<void>;
}

export interface GroundOptions {
  readonly brokerUrl?: string;
  /** The shop's store has another server to go to. */
  readonly moves?: boolean;
}

export async function openGround(
  kind: LogKind,
  { brokerUrl, moves = false }: GroundOptions = {},
): Promise<Ground> {
  const [database, other] = await Promise.all([openServer(), moves ? openServer() : undefined]);
  let logServer: TestServer | undefined;
  let broker: Broker | undefined;
  const stop = async () => {
    await Promise.all([database.stop(), other?.stop(), logServer?.stop(), broker?.stop()]);
  };
  try {
    await provisionShop(database.url);
    if (kind === 'kafka') {
      if (!brokerUrl)
        broker = await startBroker({ cacheDir, hasty: true, say: (line) => console.error(line) });
    } else {
      logServer = await openServer();
      await provisionShop(logServer.url);
    }
    const admin = adminOf(database.url);
    const there = other && adminOf(other.url);
    await admin.query(tables);
    if (other) {
      await provisionShop(other.url);
      await there!.query(tables);
    }
    const mover = other && new StoreMover(database.url, other.url);
    await mover?.pair();
    return {
      kind,
      databaseUrl: database.url,
      logUrl: logServer ? urlOf(logServer.url, 'banyan_log') : '',
      brokerUrl: brokerUrl ?? broker?.url,
      database,
      mover,
      at: (module) => (module === 'shop' && mover?.url === other?.url && there ? there : admin),
      async strikeLog() {
        // Its keeper sees within a second that it is gone, and starts it on the same port.
        if (logServer) process.kill(logServer.pid, 'SIGKILL');
        await broker?.kill();
        await broker?.start();
      },
      async stop() {
        await Promise.all([admin.end(), there?.end()]);
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function adminOf(connectionString: string): Pool {
  const pool = new Pool({ connectionString, max: 4, connectionTimeoutMillis: 3_000 });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

const ledger = (schema: string) => `
  CREATE TABLE ${schema}.committed (id uuid PRIMARY KEY, key text NOT NULL, sequence bigint NOT NULL);
  CREATE FUNCTION ${schema}.note_committed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO ${schema}.committed (id, key, sequence) VALUES (NEW.id, NEW.key, NEW.sequence);
    RETURN NULL;
  END $$;
  CREATE TRIGGER note_committed AFTER INSERT ON ${schema}.event_outbox
    FOR EACH ROW EXECUTE FUNCTION ${schema}.note_committed();
  GRANT SELECT, INSERT ON ${schema}.committed TO banyan_${schema};`;

const tables = `
  CREATE TABLE shop.account (key text PRIMARY KEY, n integer NOT NULL);
  CREATE TABLE shop.sale (key text NOT NULL, n integer NOT NULL, PRIMARY KEY (key, n));
  CREATE TABLE shop.receipt (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL, key text NOT NULL, n bigint NOT NULL);
  GRANT SELECT, INSERT, UPDATE ON shop.account, shop.sale, shop.receipt TO banyan_shop;
  SET search_path = shop; SET ROLE banyan_shop_owner; ${markerTable()} RESET ROLE; RESET search_path;
  ${ledger('shop')} ${ledger('till')}
  ${['account', 'sale', 'receipt', 'committed'].map((name) => `ALTER TABLE shop.${name} OWNER TO banyan_shop_owner;`).join(' ')}`;
