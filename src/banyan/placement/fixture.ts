// For tests: a PostgreSQL server of its own that may be frozen, gone with its folder afterwards; and as much
// of a monolith as placement is, with the door where services register.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { identify } from '../context/process.ts';
import { libraryProblem, Problem } from '../contract/problem.ts';
import { openEmbedded } from '../postgres/embedded.ts';
import { provision } from '../postgres/provision.ts';
import type { RoleSchema } from '../postgres/role-schema.ts';
import { roleUrl } from '../postgres/roles.ts';
import type { PublicKey } from '../routing/snapshot.ts';
import { serviceNetworks } from './advertised.ts';
import type { CanonicalContract } from './canonical.ts';
import { createDatabaseFollower, type DatabaseFollower } from './database-follower.ts';
import type { Who } from './history.ts';
import { type ControlStore, createControlStore } from './store.ts';
import { createSyncHandler, type SyncHandler } from './sync.ts';

export interface TestServer {
  /** A new database with these schemas in it: the superuser's URL, and that of a schema's runtime role. */
  database(...schemas: RoleSchema[]): Promise<{ admin: string; urlOf(role: string): string }>;
  /** A store that hangs, and goes on. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const silent = pino({ level: 'silent' });
const SECRET = 'of this test run';
const networks = serviceNetworks([]);

export async function startTestServer(): Promise<TestServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-control-'));
  const server = await openEmbedded({ dataDir, log: silent });
  let count = 0;

  return {
    async database(...schemas) {
      const name = `control_${++count}`;
      await execute(server.url, `CREATE DATABASE ${name}`);
      const admin = Object.assign(new URL(server.url), { pathname: name }).href;
      await provision({
        adminUrl: admin,
        secret: SECRET,
        passwords: {},
        modules: [],
        schemas,
        moduleDdl: () => '',
        log: silent,
      });
      return { admin, urlOf: (role) => roleUrl(admin, SECRET, role) };
    },
    freeze: () => signalAll(server.pid, 'SIGSTOP'),
    thaw: () => signalAll(server.pid, 'SIGCONT'),
    async stop() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The server and its backends, each of which leads a session of its own. */
function signalAll(pid: number, signal: NodeJS.Signals): void {
  const backends = execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .trim()
    .split('\n');
  for (const one of [pid, ...backends.map(Number)]) {
    try {
      process.kill(one, signal);
    } catch (error) {
      // A backend that has ended since it was listed.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

export async function execute(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

/** An operator of that name changes something. */
export const by = (name: string): Who => ({ actor: 'operator', by: name });

export interface TestMonolith {
  readonly store: ControlStore;
  readonly follower: DatabaseFollower;
  readonly host: string;
  readonly url: string;
  /** Ends it as SIGKILL would: nothing is said to anybody. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** @param service who asks, by its own key. */
export const testToken = (audience: string, service = 'orders') => `token for ${audience} of ${service}`;

export async function startTestMonolith(
  url: string,
  {
    contracts,
    sessionKeys = [],
  }: { contracts: Record<string, CanonicalContract>; sessionKeys?: PublicKey[] },
): Promise<TestMonolith> {
  const store = createControlStore({ url, log: silent });
  const modules = Object.keys(contracts);
  await store.flags.seed(modules, {});
  for (const module of modules)
    await store.sql.query(
      `INSERT INTO key (kid, purpose, name, modules, public, signs_from)
       VALUES ($1, 'internal', $1, ARRAY[$1], jsonb_build_object('kid', $1), now()) ON CONFLICT DO NOTHING`,
      [module],
    );
  for (const key of sessionKeys)
    await store.sql.query(
      `INSERT INTO key (kid, purpose, name, modules, public) VALUES ($1, 'session', 'users', '{users}', $2)
       ON CONFLICT DO NOTHING`,
      [key.kid, JSON.stringify(key)],
    );
  const follower = createDatabaseFollower({ store, log: silent });
  await follower.start();
  const door = await listen(createSyncHandler({ store, follower, contracts, networks, log: silent }));
  const host = randomUUID();
  await follower.register(
    {
      ...{ host, id: 'monolith', role: 'monolith', modules, contracts, url: door.url, doors: ['ws', 'http'] },
      process: identify(process.pid)!,
    },
    () => ({ ready: true, draining: false, inflight: {}, busy: {} }),
  );
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= follower.stop().then(door.close).then(store.close);
    return stopping;
  };
  return { store, follower, host, url: door.url, kill: door.close, stop };
}

async function listen(sync: SyncHandler) {
  const door = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    try {
      const [, caller] =
        /^Bearer token for control of (\w+)$/.exec(request.headers.authorization ?? '') ?? [];
      if (!caller) throw libraryProblem('unauthenticated');
      const body = JSON.parse(Buffer.concat(chunks).toString());
      response.end(JSON.stringify(await sync(body, { caller, kid: caller })));
    } catch (error) {
      const problem =
        error instanceof Problem ? error : libraryProblem('internal', { detail: String(error) });
      response.writeHead(problem.status).end(JSON.stringify(problem.body));
    }
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      door.close(() => resolve());
      door.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(door.address() as AddressInfo).port}`, close };
}
