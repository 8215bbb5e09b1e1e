// A PostgreSQL server for the tests of this folder (one per test file), and a database of its own for each test.
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { pino } from 'pino';
import { openEmbedded } from '../../postgres/embedded.ts';

export interface TestServer {
  readonly url: string;
  /** Of the server's process; another one after it was killed. */
  readonly pid: number;
  readonly folder: string;
  stop(): Promise<void>;
}

export async function openServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-events-'));
  // Started by root the server runs as nobody, who must be able to walk in: else its data would lie elsewhere.
  await chmod(folder, 0o711);
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  const server = await openEmbedded({ dataDir: folder, log: pino({ level: 'silent' }) }).catch(
    async (error: unknown) => {
      await remove();
      throw error;
    },
  );
  return {
    url: server.url,
    get pid() {
      return server.pid;
    },
    folder,
    async stop() {
      await server.stop();
      await remove();
    },
  };
}

/** Makes an empty database; `drop` removes it with everything that is still connected. */
export async function openDatabase(serverUrl: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `events_${randomUUID().slice(0, 8)}`;
  const run = async (sql: string) => {
    const client = new Client({ connectionString: serverUrl });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}
