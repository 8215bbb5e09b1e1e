// A shop outside of the test runner: a PostgreSQL server and another one for stores that move, a monolith as a process on
// them, a Kafka broker where asked for. For chaos runs and measurements. Everything that it started is gone after `stop`.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Broker, startBroker } from '../../src/banyan/events/testing/broker.ts';
import { openServer } from '../../src/banyan/events/testing/server.ts';
import { type Launched, launch } from '../../stage/launch.ts';

export type LogKind = 'postgres' | 'kafka';

export const modules = ['users', 'catalog', 'media', 'orders', 'payments', 'notifications'] as const;

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a body is like is for the caller to say
  readonly body: any;
}

export interface Stage {
  readonly url: string;
  /** The monolith's process; another one after it was killed and started again. */
  readonly host: Launched;
  readonly databaseUrl: string;
  readonly database: pg.Pool;
  /** Of the database's first process. */
  readonly databasePid: number;
  readonly brokerPid: number | undefined;
  call(method: string, path: string, options?: Call): Promise<Answer>;
  /** As the operator; throws what is not 2xx. */
  admin(method: string, path: string, body?: object): Promise<Answer['body']>;
  customer(): Promise<string>;
  product(stock: number): Promise<string>;
  place(module: string, placement: 'service' | 'in-process'): Promise<void>;
  /** So many in a hundred of its requests go to a process of its own. */
  share(module: string, percent: number): Promise<void>;
  /** Kills the monolith at once, and starts it again on the same data. */
  strike(): Promise<void>;
  stop(): Promise<void>;
}

export interface Call {
  readonly body?: object;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '../..');
let counter = 0;

export async function openStage(log: LogKind, mode = 'production'): Promise<Stage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-stage-'));
  chmodSync(dataDir, 0o711);
  const [server, other] = await Promise.all([openServer(), openServer()]);
  let broker: Broker | undefined;
  if (log === 'kafka') {
    broker = await startBroker({ cacheDir: join(root, 'node_modules/.cache/kafka') }).catch(
      async (error: unknown) => {
        await Promise.all([server.stop(), other.stop()]);
        rmSync(dataDir, { recursive: true, force: true });
        throw error;
      },
    );
  }
  const adminToken = randomBytes(24).toString('base64url');
  const env = {
    NODE_ENV: mode,
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: server.url,
    STORE_B_URL: other.url,
    ADMIN_TOKEN: adminToken,
    ...(broker ? { BROKER_URL: broker.url } : {}),
  };
  const database = new pg.Pool({ connectionString: server.url, max: 3 });
  database.on('error', () => {});
  const start = () => launch({ env, output: 'errors' }).up();
  const close = async () => {
    await database.end();
    await Promise.all([server.stop(), other.stop(), broker?.stop()]);
    rmSync(dataDir, { recursive: true, force: true });
  };
  let host = await start().catch(async (error: unknown) => {
    await close();
    throw error;
  });

  const call: Stage['call'] = async (method, path, { body, token, headers } = {}) => {
    const response = await fetch(new URL(path, host.url), {
      method,
      headers: {
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  const must = async (method: string, path: string, options: Call) => {
    const answer = await call(method, path, options);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const admin: Stage['admin'] = (method, path, body) =>
    must(method, path, { token: adminToken, ...(body ? { body } : {}) });

  return {
    get url() {
      return host.url;
    },
    get host() {
      return host;
    },
    databaseUrl: server.url,
    database,
    get databasePid() {
      return server.pid;
    },
    brokerPid: broker?.pid,
    call,
    admin,
    async customer() {
      counter += 1;
      const account = {
        email: `customer-${counter}-${Date.now()}@example.com`,
        password: 'correct horse battery',
      };
      await must('POST', '/api/users', { body: { ...account, name: 'A Customer' } });
      return (await must('POST', '/api/users/sessions', { body: account })).token;
    },
    async product(stock) {
      counter += 1;
      const sku = `sku-${counter}-${Date.now()}`;
      const body = {
        sku,
        name: 'A thing',
        description: 'For a run',
        priceCents: 700,
        currency: 'EUR',
        stock,
      };
      return (await admin('POST', '/api/catalog/products', body)).id;
    },
    async place(module, placement) {
      if (placement === 'service') await admin('PUT', `/admin/services/${module}`, { instances: 1 });
      await admin('PUT', `/admin/placements/${module}`, { placement });
    },
    async share(module, percent) {
      await admin('PUT', `/admin/services/${module}`, { instances: 1 });
      await admin('PUT', `/admin/placements/${module}`, { placement: 'canary', percent });
    },
    async strike() {
      await host.kill();
      host = await start();
    },
    async stop() {
      await host.end();
      await close();
    },
  };
}
