// Two small modules for the tests: `shop` publishes, `till` listens and publishes in turn. Each has its schema,
// its owner role and its runtime role, as a provisioned store has; the store is a plain stand-in over pg.
import { Client, Pool } from 'pg';
import { Type } from 'typebox';
import { currentFlow, withFlow } from '../../calls/call.ts';
import { closed, type Contract, defineContract, event } from '../../contract/contract.ts';
import type { Publisher, Sql, Store, Transaction } from '../../store/store.ts';
import type { LogLogger } from '../log/port.ts';
import { logSchema } from '../log/postgres-schema.ts';
import { createPublisher } from '../publisher.ts';
import { moduleEventTables } from '../tables.ts';

export const shop = defineContract('shop', {
  summary: 'Publishes',
  operations: {},
  events: {
    sold: event({
      summary: 'Something was sold',
      version: 1,
      key: 'orderId',
      data: closed({ orderId: Type.String(), n: Type.Integer(), bad: Type.Optional(Type.Boolean()) }),
    }),
    seen: event({
      summary: 'Somebody looked; nobody listens',
      version: 1,
      key: 'orderId',
      data: Type.Object({ orderId: Type.String() }),
    }),
  },
});

export const till = defineContract('till', {
  summary: 'Listens',
  operations: {},
  events: {
    paid: event({
      summary: 'Money came',
      version: 1,
      key: 'orderId',
      data: Type.Object({ orderId: Type.String(), n: Type.Integer() }),
    }),
  },
});

export const quiet: LogLogger = { debug() {}, info() {}, warn() {}, error() {} };

const ownerOf = (schema: string) => `banyan_${schema}_owner`;

/** Schemas, roles and tables of both modules and of the log, in an empty database. */
export async function provisionShop(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock(1)');
    for (const { schema, role, ddl } of [
      { schema: 'shop', role: 'banyan_shop', ddl: moduleEventTables('shop') },
      {
        schema: 'till',
        role: 'banyan_till',
        ddl: `${moduleEventTables('till')}
          CREATE TABLE IF NOT EXISTS till.effect (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid, key text, n integer)`,
      },
      logSchema,
    ]) {
      for (const name of [ownerOf(schema), role]) {
        await client.query(
          `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') THEN CREATE ROLE ${name} LOGIN PASSWORD 'test'; END IF; END $$`,
        );
      }
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION ${ownerOf(schema)}`);
      await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
      await client.query(`SET ROLE ${ownerOf(schema)}`);
      await client.query(
        `ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${role};
         ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
         ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT EXECUTE ON FUNCTIONS TO ${role};
         ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT USAGE ON SEQUENCES TO ${role}`,
      );
      await client.query(ddl);
      await client.query('RESET ROLE');
    }
  } finally {
    await client.end();
  }
}

export function roleUrl(url: string, role: string): string {
  const own = new URL(url);
  own.username = role;
  own.password = 'test';
  return own.href;
}

/** A Store over a plain pool: what the tests of this folder need of it, no Prisma. */
export function standInStore(
  contract: Contract,
  url: string,
  onCommit: () => void,
): Store & { close(): Promise<void> } {
  const pool = new Pool({ connectionString: roleUrl(url, `banyan_${contract.module}`), max: 5 });
  pool.on('error', () => {});
  const publisher: Publisher = createPublisher(contract);
  const rawTransaction = async <T>(work: (tx: Transaction<never>) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let published = false;
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const sql: Sql = {
        query: async (text, values) => {
          const { rows, rowCount } = await client.query(text, values as unknown[]);
          return { rows: rows as never, rowCount: rowCount ?? 0 };
        },
      };
      const tx: Transaction<never> = {
        prisma: undefined as never,
        sql,
        publish: async (definition, data) => {
          published = true;
          await publisher(sql, definition, data);
        },
        afterCommit: () => {},
      };
      const flow = currentFlow();
      const result = await withFlow(
        { deadline: Number.POSITIVE_INFINITY, traceparent: '', ...flow, transaction: 'here' },
        () => work(tx),
      );
      await client.query('COMMIT');
      if (published) onCommit();
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  };
  return {
    prisma: undefined,
    pool,
    transaction: rawTransaction as Store['transaction'],
    rawTransaction,
    committed: onCommit,
    close: () => pool.end(),
  };
}
