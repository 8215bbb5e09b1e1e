// The control store: who may change what in the control tables, and how.
// Guarantees: every change takes the next version under the lock of the one `state` row, so versions follow
// the order of commits, and followers are told after the commit. Heartbeats take neither lock nor version.
// Every statement gives up after 2 s: a database that hangs must look like one that is down.
import pg from 'pg';
import type { Logger } from 'pino';
import { openPool } from '../postgres/connections.ts';
import type { Sql } from '../store/store.ts';
import type { Change } from './change.ts';
import { createDeploys, type Deploys } from './deploys.ts';
import { createFlags, type Flags } from './flags.ts';
import { createKeyRing, type KeyRing } from './key-ring.ts';
import { createKeyTurns, type KeyTurns } from './key-turns.ts';
import { listen } from './listen.ts';
import { createOperators, type Operators } from './operators.ts';
import { createRecording, type Recording } from './recording.ts';
import { createRegistry, type Registry } from './registry.ts';
import { createReplays, type Replays } from './replays.ts';
import { CONTROL_CHANNEL } from './schema.ts';
import { createServices, type Services } from './services.ts';
import { readTables, TAG_SQL, type Tables } from './tables.ts';

export interface ControlStore {
  readonly flags: Flags;
  readonly deploys: Deploys;
  readonly registry: Registry;
  readonly services: Services;
  readonly keys: KeyRing & KeyTurns;
  readonly operators: Operators;
  readonly replays: Replays;
  readonly recording: Recording;
  /** For limits that all gateways count together (limits/tables.ts). */
  readonly sql: Sql;
  /** For what goes by the same versions (ladder/climb/rows.ts). */
  readonly change: Change;
  read(): Promise<Tables>;
  /** Changes whenever `read` would answer something that a snapshot shows otherwise than before. */
  tag(): Promise<string>;
  /** Calls back after changes by anybody; a hint that may be lost. Reconnects by itself. */
  listen(onChange: () => void): () => Promise<void>;
  close(): Promise<void>;
}

/** The database did not answer, or not in time. Nobody can tell whether a change was made. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super(`the control store does not answer: ${(cause as Error).message}`, { cause });
    this.name = 'StoreUnavailable';
  }
}

export interface ControlStoreOptions {
  /** A connection URL of the role `banyan_control`. Opens at most 3 connections and one that listens. */
  readonly url: string;
  readonly log: Logger;
}

const TIMEOUT_MS = 2000;

export function createControlStore({ url, log }: ControlStoreOptions): ControlStore {
  const pool = openPool(
    {
      connectionString: url,
      max: 3,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      statement_timeout: TIMEOUT_MS,
      application_name: 'banyan control',
      // Heartbeats need not reach the disk; `change` asks for durability where it matters.
      options: '-c synchronous_commit=off -c search_path=banyan_control',
    },
    (error) => log.warn({ error: error.message }, 'a control connection was lost'),
  );
  const sql = sqlOver(pool);
  const change: Change = (work) => inTransaction(pool, work);

  return {
    flags: createFlags(sql, change),
    deploys: createDeploys(change),
    registry: createRegistry(sql, change),
    services: createServices(sql, change),
    keys: { ...createKeyRing(sql, change), ...createKeyTurns(sql, change) },
    operators: createOperators(sql, change),
    replays: createReplays(sql, change),
    recording: createRecording(sql, change),
    sql,
    change,
    read: () => readTables(sql),
    tag: async () => (await sql.query<{ tag: string }>(`SELECT ${TAG_SQL} AS tag`)).rows[0]!.tag,
    listen: (onChange) => listen({ url, channel: CONTROL_CHANNEL, onChange, log }),
    close: () => pool.end(),
  };
}

function sqlOver(connection: Pick<pg.Pool, 'query'>): Sql {
  return {
    query: async (text, values) => {
      const { rows, rowCount } = await connection.query(text, values as unknown[]).catch(unavailable);
      return { rows, rowCount: rowCount ?? 0 };
    },
  };
}

// FATAL ends the session, or lets none begin (the role may not log in, may not connect). SQLSTATE classes: 08
// connection, 53 out of resources, 57 stopped by an operator or a timeout.
function unavailable(error: unknown): never {
  if (
    error instanceof pg.DatabaseError &&
    error.severity !== 'FATAL' &&
    !/^(08|53|57)/.test(error.code ?? '')
  )
    throw error;
  throw new StoreUnavailable(error);
}

async function inTransaction(
  pool: pg.Pool,
  work: (sql: Sql, version: number) => Promise<boolean>,
): Promise<number> {
  const client = await pool.connect().catch(unavailable);
  const sql = sqlOver(client);
  let broken = false;
  try {
    await sql.query('BEGIN; SET LOCAL synchronous_commit = on');
    const { rows } = await sql.query<{ version: string }>('SELECT version FROM state FOR UPDATE');
    const version = Number(rows[0]!.version);
    const changed = await work(sql, version + 1);
    if (changed) {
      await sql.query('UPDATE state SET version = $1', [version + 1]);
      await sql.query('SELECT pg_notify($1, $2)', [CONTROL_CHANNEL, String(version + 1)]);
    }
    await sql.query('COMMIT');
    return changed ? version + 1 : version;
  } catch (error) {
    // After a timeout the transaction may still be open: that connection must not go back into the pool.
    broken = error instanceof StoreUnavailable;
    if (!broken) await sql.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release(broken);
  }
}
