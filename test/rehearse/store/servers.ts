// The two database servers between which a store moves, as whoever looks at them from outside has them: what they say to
// their administrator, and the process that each one is. It must not know what is in a store.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { placeCluster } from '../../../src/banyan/postgres/cluster-place.ts';
import { openEmbedded } from '../../../src/banyan/postgres/embedded.ts';
import { passwordIn } from '../../../src/banyan/postgres/embedded-files.ts';
import { DATABASE, urlOf } from '../../../src/banyan/postgres/embedded-find.ts';
import { findPostmaster } from '../../../src/banyan/postgres/postmaster.ts';

export interface Server {
  /** The superuser's. */
  readonly url: string;
  /** Of its process now; undefined: it is not there. */
  readonly pid: number | undefined;
  /** On a connection of its own. */
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>;
}

/** A folder of a product that is gone when this process is. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), `banyan-store-${randomBytes(3).toString('hex')}-`));
  chmodSync(path, 0o711);
  return path;
}

/** The embedded one of a DATA_DIR: somebody else starts, looks after and ends it. */
export function embeddedIn(dataDir: string): Server {
  const place = () => placeCluster(dataDir, passwordIn(dataDir));
  return {
    get url() {
      if (!existsSync(dataDir)) throw new Error(`there is no server in ${dataDir}`);
      return urlOf(findPostmaster(place().cluster)!, passwordIn(dataDir), DATABASE);
    },
    get pid() {
      return existsSync(dataDir) ? findPostmaster(place().cluster)?.pid : undefined;
    },
    query(text, values) {
      return ask(this.url, text, values);
    },
  };
}

/** One that this process starts, and starts again when it was killed. */
export async function ownServer(): Promise<Server & { stop(): Promise<void> }> {
  const dataDir = folder();
  const server = await openEmbedded({ dataDir, log: pino({ level: 'silent' }) });
  return {
    url: server.url,
    get pid() {
      return embeddedIn(dataDir).pid;
    },
    query: (text, values) => ask(server.url, text, values),
    async stop() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** One that somebody else runs, wherever it is by then. */
export function serverAt(url: () => string): Server {
  return {
    get url() {
      return url();
    },
    pid: undefined,
    query: (text, values) => ask(url(), text, values),
  };
}

export async function ask<R extends pg.QueryResultRow>(
  url: string,
  text: string,
  values?: unknown[],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<R>(text, values)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
