// The shop in which faults are struck for alarms: a monolith with everything of its own, a mail server and a collector that can
// go away, and where they are asked for a gateway alone, another database server, and Kafka. All real but the outside.
// Whatever it started is gone after `stop`, also what stands still.
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Broker, startBroker } from '../../../src/banyan/events/testing/broker.ts';
import { freePorts } from '../../../src/banyan/postgres/free-port.ts';
import { launch } from '../../../stage/launch.ts';
import type { Installation } from '../../../stage/ring.ts';
import { Held } from '../../fault-held.ts';
import { type Ends, started } from '../../started.ts';
import { embeddedIn, ownServer, type Server } from '../store/servers.ts';
import { openPost, type Post } from './post.ts';

export const NEEDS = ['gateway', 'server', 'kafka'] as const;
export type Need = (typeof NEEDS)[number];

export interface Asked {
  readonly token?: string;
  readonly body?: object | FormData;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly servedBy: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: what a body is like is for the caller to say
  readonly body: any;
}

/** What can leave and come back. */
interface Leaving {
  leave(): Promise<void>;
  comeBack(): Promise<void>;
}

export interface AlarmShop {
  readonly url: string;
  /** The internal port of the monolith. */
  readonly internal: string;
  readonly adminToken: string;
  readonly dataDir: string;
  readonly installation: Installation;
  /** The embedded server of the monolith, and the one whose name is `b`. */
  readonly database: Server;
  readonly other: Server | undefined;
  readonly broker: Broker | undefined;
  readonly post: Post;
  readonly collector: Leaving;
  /** A gateway alone: killed, and started again. */
  readonly gateway: Leaving | undefined;
  /** A customer, and what there is plenty of. */
  readonly token: string;
  readonly productId: string;
  ask(method: string, path: string, asked?: Asked): Promise<Reply>;
  /** As the operator; throws what is not 2xx. */
  admin(method: string, path: string, body?: object): Promise<Reply['body']>;
  order(paymentToken?: string): Promise<Reply>;
  /** The process of the monolith; another one after `start`. */
  readonly monolith: ChildProcess;
  start(): Promise<void>;
  /** Of a service that the monolith started. */
  processOf(id: string): number | undefined;
  /** SIGSTOP for a process and all that it started; answers what lets them go on. */
  freeze(pid: number): () => void;
  /** How far the clock of that host is from all others. */
  setClock(id: string, seconds: number): void;
  stop(): Promise<void>;
}

export const KAFKA_JARS = join(import.meta.dirname, '../../../node_modules/.cache/kafka');

export const openAlarmShop = (needs: readonly Need[] = []): Promise<AlarmShop> =>
  started((ends) => build(new Set(needs), ends));

async function build(needs: ReadonlySet<Need>, ends: Ends): Promise<Omit<AlarmShop, 'stop'>> {
  const post = await openPost();
  const collector = await openCollector();
  ends.push(() => Promise.allSettled([post.leave(), collector.leave()]));
  const clock = openClock();
  ends.push(() => clock.remove());
  const other = needs.has('server') ? await ownServer() : undefined;
  if (other) ends.push(() => other.stop());
  const broker = needs.has('kafka') ? await startBroker({ cacheDir: KAFKA_JARS, hasty: true }) : undefined;
  if (broker) ends.push(() => broker.stop());
  const [port, internalPort] = await freePorts(2);
  const held = new Held();
  const env = {
    PORT: String(port),
    INTERNAL_PORT: String(internalPort),
    INSTANCE_ID: 'monolith',
    TRUST_PROXY: '127.0.0.1',
    RATE_LIMIT: '20',
    SMTP_URL: post.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_METRICS_EXPORTER: 'none',
    NODE_OPTIONS: `--import ${clock.preload}`,
    ...(other && { STORE_B_URL: other.url }),
    ...(broker && { BROKER_URL: broker.url }),
  };
  const own = held.banyan(env);
  ends.push(() => held.leave());
  let monolith = (await own.start()).child;
  ends.push(() => ended(monolith));
  const url = `http://127.0.0.1:${port}`;
  const secret = (name: string) => readFileSync(join(own.dataDir, name), 'utf8').trim();
  const adminToken = secret('admin-token');
  const database = embeddedIn(own.dataDir);
  const { ask, admin } = asking(url, adminToken);
  const gateway = needs.has('gateway')
    ? await openGateway({
        ...{ DATABASE_URL: database.url, ROOT_KEY: secret('root-key'), ADMIN_TOKEN: adminToken },
        ...(broker && { BROKER_URL: broker.url }),
      })
    : undefined;
  if (gateway) ends.push(() => gateway.leave());
  const { token, productId } = await customerOf({ ask, admin });
  return {
    ...{
      url,
      adminToken,
      database,
      other,
      broker,
      post,
      collector,
      gateway,
      token,
      productId,
      ask,
      admin,
    },
    internal: `http://127.0.0.1:${internalPort}`,
    dataDir: own.dataDir,
    installation: { databaseUrl: database.url, rootKey: secret('root-key') },
    order: (paymentToken = 'tok_ok') =>
      ask('POST', '/api/orders', {
        token,
        headers: { 'idempotency-key': randomUUID() },
        body: { lines: [{ productId, quantity: 1 }], paymentToken },
      }),
    get monolith() {
      return monolith;
    },
    async start() {
      monolith = (await own.start()).child;
    },
    processOf: (id) =>
      [...own.processes().keys()].find((pid) => environmentOf(pid).includes(`INSTANCE_ID=${id}\0`)),
    freeze(pid) {
      const frozen = held.freeze(pid);
      return () => {
        for (const one of frozen) signal(one, 'SIGCONT');
      };
    },
    setClock: clock.set,
  };
}

function environmentOf(pid: number): string {
  try {
    return `${readFileSync(`/proc/${pid}/environ`, 'utf8')}\0`;
  } catch {
    return '';
  }
}

/** Of a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** In order, as a terminal ends it. */
function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  return gone;
}

function asking(url: string, adminToken: string): Pick<AlarmShop, 'ask' | 'admin'> {
  const ask: AlarmShop['ask'] = async (method, path, { token, body, headers } = {}) => {
    const isForm = body instanceof FormData;
    const answer = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(body && !isForm ? { 'content-type': 'application/json' } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      body: isForm ? body : body ? JSON.stringify(body) : null,
      signal: AbortSignal.timeout(20_000),
    });
    const text = await answer.text();
    const json = /json/.test(answer.headers.get('content-type') ?? '') && text !== '';
    const servedBy = answer.headers.get('x-served-by');
    return { status: answer.status, servedBy, body: json ? JSON.parse(text) : text };
  };
  return {
    ask,
    async admin(method, path, body) {
      const answer = await ask(method, path, { token: adminToken, ...(body && { body }) });
      if (answer.status >= 300)
        throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
  };
}

async function customerOf({ ask, admin }: Pick<AlarmShop, 'ask' | 'admin'>) {
  const who = { email: 'ada@rehearsal.example', password: 'correct horse battery' };
  await ask('POST', '/api/users', { body: { ...who, name: 'Ada' } });
  const { body } = await ask('POST', '/api/users/sessions', { body: who });
  const product = await admin('POST', '/api/catalog/products', {
    ...{ sku: 'plenty', name: 'A thing', description: 'For a rehearsal', currency: 'EUR' },
    ...{ priceCents: 700, stock: 1_000_000_000 },
  });
  return { token: body.token as string, productId: product.id as string };
}

/** The clock of one host at a time, as a file has it: every process of the shop reads it. */
function openClock() {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-clock-'));
  const file = join(folder, 'clock');
  const set = (id: string, seconds: number) => writeFileSync(file, `${id} ${seconds}`);
  set('nobody', 0);
  const preload = `data:text/javascript,${encodeURIComponent(`
    import { readFileSync } from 'node:fs';
    const id = process.env.INSTANCE_ID;
    if (/-\\d+$/.test(id ?? '')) {
      const now = Date.now;
      const RealDate = Date;
      const shift = () => {
        const [who, seconds] = readFileSync(${JSON.stringify(file)}, 'utf8').split(' ');
        return who === id ? Number(seconds) * 1000 : 0;
      };
      globalThis.Date = class extends RealDate {
        constructor(...given) { if (given.length) super(...given); else super(RealDate.now()); }
      };
      RealDate.now = () => now() + shift();
      globalThis.Date.now = RealDate.now;
    }`)}`;
  return { set, preload, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Takes whatever is exported, and keeps nothing. */
async function openCollector(): Promise<Leaving & { url: string }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async leave() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    comeBack: () => listen(port),
  };
}

async function openGateway(env: Readonly<Record<string, string>>): Promise<Leaving> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-gateway-'));
  const begin = () =>
    launch({
      env: { ...env, PORT: '0', MODULES: 'none', INSTANCE_ID: 'gateway-1', DATA_DIR: dataDir },
      says: (output) => /"PORT is open at (http:\S+?)"/.exec(output)?.[1],
    });
  let host = await begin().up();
  return {
    async leave() {
      await host.kill();
    },
    async comeBack() {
      host = await begin().up();
    },
  };
}
