// Finds the server that runs on our folder already, and tells it from a stranger's by asking it: by our password, for
// the folder that it serves. A server that starts or stops is waited for. It starts and ends none.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createClient } from './connections.ts';
import { findPostmaster, type Postmaster, type ServerPlace } from './postmaster.ts';

/** The one that everything is in. */
export const DATABASE = 'banyan';

/** How long a server that was found may take to answer; recovery after a crash is part of it. */
const TIMEOUT_MS = 120_000;

/** The server that runs on our folder, once it answers with our password. Waits for one that starts or stops. */
export async function findRunning(
  place: ServerPlace,
  password: string,
  log: Logger,
): Promise<Postmaster | undefined> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (let told = false; ; ) {
    const found = findPostmaster(place.cluster);
    if (!found) return undefined;
    if (found.state === 'ready' && (await answers(found, password, place))) return found;
    if (Date.now() > deadline)
      throw new Error(
        `The embedded PostgreSQL (pid ${found.pid}) is ${found.state} and does not answer. End it, and start again.`,
      );
    if (!told && Date.now() > deadline - TIMEOUT_MS + 3000) {
      log.info({ pid: found.pid, state: found.state }, 'waiting for the embedded PostgreSQL');
      told = true;
    }
    await pause(20);
  }
}

/** Whether it is the server of this folder that listens there. Makes our database in it if it has none. */
async function answers(found: Postmaster, password: string, place: ServerPlace): Promise<boolean> {
  const client = createClient({
    connectionString: urlOf(found, password, 'postgres'),
    connectionTimeoutMillis: 2000,
    application_name: 'banyan embedded',
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string; ready: boolean }>(
      `SELECT current_setting('data_directory') AS folder, EXISTS (SELECT FROM pg_database WHERE datname = $1) AS ready`,
      [DATABASE],
    );
    if (rows[0]!.folder !== place.cluster) return false;
    if (!rows[0]!.ready) await client.query(`CREATE DATABASE ${DATABASE}`).catch(ignoreDuplicate);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') return false;
    throw new Error(
      `The embedded PostgreSQL in ${place.cluster} has another password than its DATA_DIR. Use another DATA_DIR.`,
    );
  } finally {
    await client.end().catch(() => {});
  }
}

function ignoreDuplicate(error: { code?: string }): void {
  if (error.code !== '42P04' && error.code !== '23505') throw error;
}

/** As libpq has it: `host` among the parameters goes before the one in its place. */
export function urlOf({ port, socket }: Postmaster, password: string, database: string): string {
  const url = new URL(`postgres://postgres:${password}@127.0.0.1:${port}/${database}`);
  if (socket) url.searchParams.set('host', socket);
  return url.href;
}
