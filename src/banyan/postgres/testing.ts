// For tests of the store: a server of their own, gone with its folder afterwards, and empty databases on it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { openEmbedded } from './embedded.ts';

export const silent = pino({ level: 'silent' });

export interface ThrowawayServer {
  /** The superuser's URL. */
  readonly url: string;
  readonly dataDir: string;
  /** A new, empty database: its superuser's URL. */
  database(): Promise<string>;
  stop(): Promise<void>;
}

export async function throwawayServer(): Promise<ThrowawayServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-store-'));
  const server = await openEmbedded({ dataDir, log: silent });
  let count = 0;
  return {
    url: server.url,
    dataDir,
    async database() {
      count += 1;
      await query(server.url, `CREATE DATABASE test_${count}`);
      const url = new URL(server.url);
      url.pathname = `/test_${count}`;
      return url.href;
    },
    async stop() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** One statement on a connection of its own; answers its rows. */
export async function query<R extends pg.QueryResultRow>(
  url: string,
  text: string,
  values?: unknown[],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(text, values)).rows;
  } finally {
    await client.end();
  }
}
