// The control store: who may change what in the control tables, and how.
// Guarantees: every change takes the next version under the lock of the one `state` row, so versions follow
// the order of commits, and followers are told after the commit. Heartbeats take neither lock nor version.
// Every statement gives up after 2 s: a database that hangs must look like one that is down.
import pg from 'pg';
import type { Logger } from 'pino';
import type { Sql } from '../store/store.ts';
import { createFlags, type Flags } from './flags.ts';
import { listen } from './listen.ts';
import { createRoster, type Roster } from './roster.ts';
import { controlChannel } from './schema.ts';
import { createServices, type Services } from './services.ts';
import { readTables, type Tables, tagSql } from './tables.ts';

export interface ControlStore {
  readonly flags: Flags;
  readonly roster: Roster;
  readonly services: Services;
  read(): Promise<Tables>;
  /** Changes whenever `read` would answer something that a snapshot shows otherwise than before. */
  tag(): Promise<string>;
  /** Calls back after changes by anybody; a hint that may be lost. Reconnects by itself. */
  listen(onChange: () => void): () => Promise<void>;
  close(): Promise<void>;
}

/** Does its work under the version lock. The version is taken, and followers told, if it answers true. */
export type Change = (work: (sql: Sql, version: number) => Promise<boolean>) => Promise<number>;

export interface ControlStoreOptions {
  /** A connection URL of the role `banyan_control`. Opens at most 3 connections and one that listens. */
  readonly url: string;
  readonly log: Logger;
}

const patience = 2000;

export function createControlStore({ url, log }: ControlStoreOptions): ControlStore {
  const pool = new pg.Pool({
    connectionString: url,
    max: 3,
    connectionTimeoutMillis: patience,
    query_timeout: patience,
    statement_timeout: patience,
    application_name: 'banyan control',
    // Heartbeats need not reach the disk; `change` asks for durability where it matters.
    options: '-c synchronous_commit=off -c search_path=banyan_control',
  });
  pool.on('error', (error) => log.warn({ error: error.message }, 'a control connection was lost'));
  const sql: Sql = {
    query: async (text, values) => {
      const { rows, rowCount } = await pool.query(text, values as unknown[]);
      return { rows, rowCount: rowCount ?? 0 };
    },
  };
  const change: Change = (work) => inTransaction(pool, work);

  return {
    flags: createFlags(sql, change),
    roster: createRoster(sql, change),
    services: createServices(sql, change),
    read: () => readTables(sql),
    tag: async () => (await sql.query<{ tag: string }>(`SELECT ${tagSql} AS tag`)).rows[0]!.tag,
    listen: (onChange) => listen({ url, channel: controlChannel, onChange, log }),
    close: () => pool.end(),
  };
}

async function inTransaction(
  pool: pg.Pool,
  work: (sql: Sql, version: number) => Promise<boolean>,
): Promise<number> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('BEGIN; SET LOCAL synchronous_commit = on');
    const { rows } = await client.query<{ version: string }>('SELECT version FROM state FOR UPDATE');
    const version = Number(rows[0]!.version);
    const sql: Sql = {
      query: async (text, values) => {
        const result = await client.query(text, values as unknown[]);
        return { rows: result.rows, rowCount: result.rowCount ?? 0 };
      },
    };
    const changed = await work(sql, version + 1);
    if (changed) {
      await client.query('UPDATE state SET version = $1', [version + 1]);
      await client.query('SELECT pg_notify($1, $2)', [controlChannel, String(version + 1)]);
    }
    await client.query('COMMIT');
    return changed ? version + 1 : version;
  } catch (error) {
    failure = error as Error;
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    // A connection whose transaction may still be open (a timeout) must not go back into the pool.
    client.release(failure && 'code' in failure ? false : failure);
  }
}
