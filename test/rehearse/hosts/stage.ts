// The shop on hosts of a network: PostgreSQL, Kafka, two monoliths, two gateways alone, and services of orders (two), catalog and
// payments, each with an address, a DATA_DIR and, where it is a service, a key of its own. Everybody is reached by name.
// Whatever it started is gone after `stop`, also what was cut off. It must not know which faults are struck.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from 'undici';
import { startBroker } from '../../../src/banyan/events/testing/broker.ts';
import { createSessionSigner } from '../../../src/banyan/identity/session-token.ts';
import { type Env, type Launched, launch } from '../../../stage/launch.ts';
import { KAFKA_JARS } from '../alarms/stage.ts';
import { folder } from '../store/servers.ts';
import { type Ask, asked, type Customer, customersIn, type Reply } from '../store/stage.ts';
import { type HostedServer, startServer } from './database.ts';
import { Entrances } from './entrances.ts';
import { type NetHost, Network } from './network.ts';

export const MONOLITHS = ['monolith', 'monolith-b'] as const;
export const GATEWAYS = ['gateway-1', 'gateway-2'] as const;
export const SERVICES = ['orders-1', 'orders-2', 'catalog-1', 'payments-1'] as const;

/** Modules that have services here, each with the roles that it goes to its database as, by the end of their variable. */
const ROLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  orders: { ORDERS: 'banyan_orders' },
  catalog: { CATALOG: 'banyan_catalog' },
  payments: { PAYMENTS: 'banyan_payments', PAYMENTS_CARD_NETWORK: 'banyan_card_network' },
};
const STOCK = 1_000_000_000;
const [PUBLIC, INTERNAL] = [3000, 4000];
const HEALTHY_MS = 30_000;
const LOOK_MS = 50;

export interface HostsShop {
  readonly network: Network;
  readonly database: HostedServer;
  readonly entrances: Entrances;
  readonly customers: readonly Customer[];
  readonly products: { readonly plenty: string; readonly none: string };
  /** As a customer, at whichever gateway is ready. */
  ask(ask: Ask): Promise<Reply>;
  /** As the operator, at a monolith that answers; throws what is not 2xx. */
  admin(method: Ask['method'], path: string, body?: object): Promise<Reply['body']>;
  /**
   * Starts it on the host of its name, or on that one; resolves when it serves and, where it is a service, control says that
   * it is healthy.
   */
  start(id: string, how?: { readonly env?: Env; readonly on?: string }): Promise<void>;
  /** SIGTERM; resolves when it has ended. */
  end(id: string): Promise<void>;
  healthy(id: string): Promise<boolean>;
  stop(): Promise<void>;
}

const moduleOf = (id: string): string => id.replace(/-\d+$/, '');
const isService = (id: string): boolean => moduleOf(id) in ROLES;

export interface StageOptions {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** A folder for what each host says; it stays. */
  readonly logs?: string | undefined;
}

export async function openStage({ say, signal, logs }: StageOptions): Promise<HostsShop> {
  const stage = new Stage(signal, logs);
  try {
    await stage.open(say);
    return stage;
  } catch (error) {
    await stage.stop();
    throw error;
  }
}

class Stage implements HostsShop {
  network!: Network;
  database!: HostedServer;
  entrances!: Entrances;
  customers: readonly Customer[] = [];
  products = { plenty: '', none: '' };
  readonly #signal: AbortSignal;
  readonly #logs: string | undefined;
  readonly #ends: (() => Promise<unknown>)[] = [];
  readonly #agent = new Agent({ connections: 64 });
  readonly #hosts = new Map<string, NetHost>();
  readonly #running = new Map<string, Launched>();
  readonly #keys = new Map<string, string>();
  readonly #secrets = {
    ADMIN_TOKEN: secret(),
    ROOT_KEY: secret(),
    SIGNING_KEY: JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })),
  };
  #common: Env = {};
  readonly #passwords = new Map<string, string>();
  readonly #folder = folder();

  constructor(signal: AbortSignal, logs: string | undefined) {
    this.#signal = signal;
    this.#logs = logs;
    if (logs) mkdirSync(logs, { recursive: true });
    this.#ends.push(async () => remove(this.#folder));
  }

  async open(say: (line: string) => void): Promise<void> {
    this.network = await Network.open();
    this.#ends.push(() => this.network.remove());
    this.#ends.push(() => this.#agent.destroy());
    say('starting PostgreSQL and Kafka, each on a host of its own');
    const [db, log] = [await this.network.host('db'), await this.network.host('kafka')];
    this.database = await startServer(db, this.network.cidr);
    this.#ends.push(() => this.database.stop());
    const broker = await startBroker({ cacheDir: KAFKA_JARS, say, address: log.address, by: log.words });
    this.#ends.push(() => broker.stop());
    this.#common = { NODE_ENV: 'production', HOST: '0.0.0.0', BROKER_URL: broker.url };
    this.#ends.push(() => this.#endAll());
    say(`starting ${[...MONOLITHS, ...GATEWAYS, ...SERVICES].join(', ')}`);
    // The first one prepares the database.
    for (const id of MONOLITHS) await this.start(id);
    await Promise.all(GATEWAYS.map((id) => this.start(id)));
    for (const module of Object.keys(ROLES)) {
      const { key } = await this.admin('POST', '/admin/keys', { name: module });
      this.#keys.set(module, JSON.stringify(key));
    }
    for (const id of SERVICES) await this.start(id);
    for (const module of Object.keys(ROLES))
      await this.admin('PUT', `/admin/placements/${module}`, { placement: 'service' });
    this.products = { plenty: await this.#product('plenty', STOCK), none: await this.#product('none', 0) };
    const signer = createSessionSigner(JSON.parse(this.#secrets.SIGNING_KEY));
    this.customers = await customersIn(this.database, 20, signer);
    this.entrances = new Entrances(() => GATEWAYS.map((id) => this.#url(id)));
    this.#ends.push(async () => this.entrances.close());
  }

  ask(ask: Ask): Promise<Reply> {
    return this.entrances.through((url) => asked(this.#agent, url, ask));
  }

  async admin(method: Ask['method'], path: string, body?: object): Promise<Reply['body']> {
    const ask = { method, path, token: this.#secrets.ADMIN_TOKEN, timeoutMs: 15_000, ...(body && { body }) };
    let said = '';
    for (const id of MONOLITHS) {
      if (!this.#running.get(id)?.running) continue;
      const answer = await asked(this.#agent, this.#url(id), ask).catch((error: Error) => error.message);
      if (typeof answer !== 'string' && answer.status < 300) return answer.body;
      said = typeof answer === 'string' ? answer : `${answer.status} ${JSON.stringify(answer.body)}`;
    }
    throw new Error(`${method} ${path}: ${said}`);
  }

  async start(id: string, { env = {}, on = id }: { env?: Env; on?: string } = {}): Promise<void> {
    this.#signal.throwIfAborted();
    const host = this.#hosts.get(on) ?? (await this.network.host(on));
    this.#hosts.set(on, host);
    const service = isService(id);
    const entry = service ? { entry: `extracted/${moduleOf(id)}/main.ts`, says: serving } : {};
    const node = [...host.words, process.execPath];
    const onOutput = (text: string) => {
      if (this.#logs) appendFileSync(join(this.#logs, `${host.name}.log`), text);
    };
    const all = { ...this.#envOf(id, host), ...env };
    const launched = launch({ ...entry, node, env: all, leads: true, onOutput });
    this.#running.set(id, launched);
    await launched.up(this.#signal);
    if (service) await this.#until(`${id} is not healthy`, () => this.healthy(id));
  }

  async end(id: string): Promise<void> {
    await this.#running.get(id)?.end();
  }

  async healthy(id: string): Promise<boolean> {
    const { modules } = await this.admin('GET', '/admin/placements');
    const all = modules.flatMap((one: { instances: { id: string; healthy: boolean }[] }) => one.instances);
    return all.some((one: { id: string; healthy: boolean }) => one.id === id && one.healthy);
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  #envOf(id: string, host: NetHost): Env {
    const dataDir = join(this.#folder, host.name);
    mkdirSync(dataDir, { recursive: true });
    const own = {
      ...this.#common,
      INSTANCE_ID: id,
      DATA_DIR: dataDir,
      INTERNAL_PORT: String(INTERNAL),
      ADVERTISE_URL: `http://${host.domain}:${INTERNAL}`,
    };
    if (isService(id))
      return {
        ...own,
        CONTROL_URL: `http://${this.#hosts.get(MONOLITHS[0])!.domain}:${INTERNAL}`,
        SERVICE_KEY: this.#keys.get(moduleOf(id))!,
        ...this.#moduleUrls([moduleOf(id)]),
      };
    const entrance = {
      ...own,
      ...this.#secrets,
      PORT: String(PUBLIC),
      DATABASE_URL: this.database.urlFor(),
      RATE_LIMIT: '0',
      RATE_LIMIT_EXEMPT: this.network.cidr,
      // Longer than the entrance in front takes to notice.
      DRAIN_DELAY_MS: '1000',
    };
    if (id.startsWith('gateway')) return { ...entrance, MODULES: 'none' };
    return {
      ...entrance,
      SERVICE_NETWORKS: `${this.network.cidr},*.banyan.test`,
      STORAGE_URL: `file://${join(this.#folder, 'media')}`,
      ...this.#moduleUrls(Object.keys(ROLES)),
    };
  }

  /** Chosen here: monoliths set these passwords, services come with them. */
  #moduleUrls(modules: readonly string[]): Env {
    const all = modules.flatMap((module) => Object.entries(ROLES[module]!));
    return Object.fromEntries(
      all.map(([name, role]) => {
        const password = this.#passwords.get(role) ?? secret();
        this.#passwords.set(role, password);
        return [`DATABASE_URL_${name}`, this.database.urlFor(role, password)];
      }),
    );
  }

  #url(id: string): string {
    return `http://${this.#hosts.get(id)!.address}:${PUBLIC}`;
  }

  async #product(sku: string, stock: number): Promise<string> {
    const about = { sku, name: 'A thing', description: 'For a rehearsal', priceCents: 700, currency: 'EUR' };
    return (await this.admin('POST', '/api/catalog/products', { ...about, stock })).id;
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + HEALTHY_MS;
    while (!(await holds())) {
      this.#signal.throwIfAborted();
      if (performance.now() > deadline) throw new Error(`${what} after ${HEALTHY_MS / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #endAll(): Promise<void> {
    await Promise.all([...this.#running.values()].map((one) => one.end()));
  }
}

/** A service prints no address for people. */
const serving = (output: string) => /"internal":"(http:[^"]+)"/.exec(output)?.[1];

const secret = () => randomBytes(24).toString('base64url');

const remove = (path: string) =>
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
