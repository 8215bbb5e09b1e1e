// A point in the life of a database to which it can be taken back, and all rows as they were at exactly that point. For as long as
// it takes to read them nobody writes: so nothing commits between the reading and the point.
import type pg from 'pg';
import { createClient } from '../../../src/banyan/postgres/connections.ts';

export interface Tables {
  /** By schema and table: how many rows, and a hash over all of them. */
  readonly [table: string]: { readonly rows: number; readonly hash: string };
}

export interface Point {
  readonly name: string;
  readonly tables: Tables;
  /** Ids of the orders that were there. */
  readonly orders: ReadonlySet<string>;
  /** By performance.now(): what was answered before `from` is in it, what was asked after `until` is not. */
  readonly from: number;
  readonly until: number;
}

const SCHEMAS = [
  'users',
  'catalog',
  'media',
  'orders',
  'payments',
  'card_network',
  'notifications',
  'banyan_log',
];
const TRIES = 100;

export async function makePoint(url: string, name: string): Promise<Point> {
  return on(url, async (client) => {
    const names = await namesOf(client);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const from = performance.now();
        // Whoever works has locks of some of these and waits for others: we give way, and try again.
        await client.query(
          `BEGIN; SET LOCAL lock_timeout = '200ms'; LOCK TABLE ${names.join(', ')} IN EXCLUSIVE MODE`,
        );
        const tables = await hashed(client, names);
        const { rows } = await client.query<{ id: string }>('SELECT id FROM orders.orders');
        await client.query('SELECT pg_create_restore_point($1)', [name]);
        await client.query('COMMIT');
        return { name, tables, orders: new Set(rows.map(({ id }) => id)), from, until: performance.now() };
      } catch (error) {
        await client.query('ROLLBACK');
        if ((error as { code?: string }).code !== '55P03' || attempt === TRIES) throw error;
      }
    }
  });
}

/** All of them now. */
export function tablesOf(url: string): Promise<Tables> {
  return on(url, async (client) => hashed(client, await namesOf(client)));
}

/** In sentences. */
export function differing(before: Tables, after: Tables): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => before[name]?.hash !== after[name]?.hash)
    .map(
      (name) =>
        `${name} is not as it was: ${before[name]?.rows ?? 0} rows at the point, ${after[name]?.rows ?? 0} now`,
    );
}

export function rowsIn(tables: Tables): number {
  return Object.values(tables).reduce((sum, { rows }) => sum + rows, 0);
}

async function hashed(client: pg.Client, names: readonly string[]): Promise<Tables> {
  const tables: Record<string, Tables[string]> = {};
  for (const name of names) {
    const { rows } = await client.query<{ rows: number; hash: string }>(
      `SELECT count(*)::int AS rows, coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') AS hash FROM ${name} t`,
    );
    tables[name] = rows[0]!;
  }
  return tables;
}

/** What a crash empties is none of them. */
async function namesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname = ANY ($1) ORDER BY 1`,
    [SCHEMAS],
  );
  return rows.map(({ name }) => name);
}

async function on<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = createClient({ connectionString: url, application_name: 'point' });
  await client.connect();
  return work(client).finally(() => client.end());
}
