// The shop on hosts of a network: PostgreSQL, Kafka, two monoliths, two gateways alone, and services of orders (two), catalog and
// payments, each with an address, a DATA_DIR and, where it is a service, a key of its own. Everybody is reached by name.
// Whatever it started is gone after `stop`, also what was cut off. It must not know which faults are struck.
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from 'undici';
import { startBroker } from '../../../src/banyan/events/testing/broker.ts';
import { createSessionSigner } from '../../../src/banyan/identity/session-token.ts';
import { type Env, type Launched, launch } from '../../../stage/launch.ts';
import { type Ask, asked, type Reply } from '../../asked.ts';
import { KAFKA_JARS } from '../alarms/stage.ts';
import { folder } from '../store/servers.ts';
import { type Customer, customersIn } from '../store/stage.ts';
import { type HostedServer, startServer } from './database.ts';
import { Entrances } from './entrances.ts';
import { Environments, isService, MODULES, moduleOf, PUBLIC } from './environments.ts';
import { type NetHost, Network } from './network.ts';

export const MONOLITHS = ['monolith', 'monolith-b'] as const;
export const GATEWAYS = ['gateway-1', 'gateway-2'] as const;
export const SERVICES = ['orders-1', 'orders-2', 'catalog-1', 'payments-1'] as const;

const STOCK = 1_000_000_000;
const HEALTHY_MS = 30_000;
const LOOK_MS = 50;
const TRIES = 3;

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

export interface StageOptions {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** A folder for what each host says; it stays. */
  readonly logs?: string | undefined;
}

export async function openStage(options: StageOptions): Promise<HostsShop> {
  const stage = new Stage(options);
  try {
    await stage.open();
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
  readonly #say: (line: string) => void;
  readonly #ends: (() => Promise<unknown>)[] = [];
  readonly #agent = new Agent({ connections: 64 });
  readonly #hosts = new Map<string, NetHost>();
  readonly #running = new Map<string, Launched>();
  #environments!: Environments;
  readonly #folder = folder();

  constructor({ say, signal, logs }: StageOptions) {
    this.#say = say;
    this.#signal = signal;
    this.#logs = logs;
    if (logs) mkdirSync(logs, { recursive: true });
    this.#ends.push(async () => remove(this.#folder));
  }

  async open(): Promise<void> {
    const say = this.#say;
    this.network = await Network.open();
    this.#ends.push(() => this.network.remove());
    this.#ends.push(() => this.#agent.destroy());
    say('starting PostgreSQL and Kafka, each on a host of its own');
    const [db, log] = [await this.network.host('db'), await this.network.host('kafka')];
    this.database = await startServer(db, this.network.cidr);
    this.#ends.push(() => this.database.stop());
    const broker = await startBroker({ cacheDir: KAFKA_JARS, say, address: log.address, by: log.words });
    this.#ends.push(() => broker.stop());
    this.#environments = new Environments({
      ...{ network: this.network, database: this.database, folder: this.#folder, brokerUrl: broker.url },
      control: MONOLITHS[0],
    });
    this.#ends.push(() => this.#endAll());
    say(`starting ${[...MONOLITHS, ...GATEWAYS, ...SERVICES].join(', ')}`);
    // The first one prepares the database.
    for (const id of MONOLITHS) await this.start(id);
    await Promise.all(GATEWAYS.map((id) => this.start(id)));
    for (const module of MODULES) {
      const { key } = await this.admin('POST', '/admin/keys', { name: module });
      this.#environments.keep(module, JSON.stringify(key));
    }
    for (const id of SERVICES) await this.start(id);
    for (const module of MODULES)
      await this.admin('PUT', `/admin/placements/${module}`, { placement: 'service' });
    this.products = { plenty: await this.#product('plenty', STOCK), none: await this.#product('none', 0) };
    const signer = createSessionSigner(JSON.parse(this.#environments.secrets.SIGNING_KEY));
    this.customers = await customersIn(this.database, 20, signer);
    this.entrances = new Entrances(() => GATEWAYS.map((id) => this.#url(id)));
    this.#ends.push(async () => this.entrances.close());
  }

  ask(ask: Ask): Promise<Reply> {
    return this.entrances.through((url) => asked(this.#agent, url, ask));
  }

  async admin(method: Ask['method'], path: string, body?: object): Promise<Reply['body']> {
    const ask = {
      method,
      path,
      token: this.#environments.secrets.ADMIN_TOKEN,
      timeoutMs: 15_000,
      ...(body && { body }),
    };
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
    const all = { ...this.#environments.of(id, host), ...env };
    // One that ends before it is up is started again, as whoever keeps processes on a host does.
    for (let tries = 1; ; tries += 1) {
      const launched = launch({ ...entry, node, env: all, leads: true, onOutput });
      this.#running.set(id, launched);
      try {
        await launched.up(this.#signal);
        break;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (tries === TRIES) throw error;
        this.#say(`  ${id} did not start, and is started again: ${lastLine(launched.output())}`);
      }
    }
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

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? '';

const remove = (path: string) =>
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
