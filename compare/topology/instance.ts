// One topology, running: a PostgreSQL of its own, a broker of its own where events go over Kafka, a monolith started
// as `npm start` starts it, and services extracted through its admin API. Guarantees: it ends with `stop`, in
// the order in which nothing is lost; nothing of it is outside of its folder. It measures nothing.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { type Broker, startBroker } from '../../src/banyan/events/testing/broker.ts';
import type { Overview } from '../../src/banyan/placement/admin-contract.ts';
import { openEmbedded } from '../../src/banyan/postgres/embedded.ts';
import type { EmbeddedServer } from '../../src/banyan/postgres/embedded-watch.ts';
import { freePorts } from '../../src/banyan/postgres/free-port.ts';
import { type Launched, launch } from '../../stage/launch.ts';
import { Refusal } from '../errors/refusal.ts';
import type { Side } from '../format/report.ts';
import { pin } from '../load/generator-process.ts';
import type { Topology } from './syntax.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** What both sides share. */
export interface Installation {
  readonly modules: readonly string[];
  readonly log: 'postgres' | 'kafka';
  /** PATH and the like, for every process. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: {
    readonly adminToken: string;
    readonly rootKey: string;
  };
  /** Cores that hosts and databases are held to; undefined: all. */
  readonly cores: string | undefined;
  readonly signal: AbortSignal;
}

export interface StartOptions {
  /** Where spans go. */
  readonly otlp?: string;
  /** Largest JavaScript heap of each host, in MB. */
  readonly heapMb?: number;
  /** Hosts answer to fault switches. */
  readonly faults?: boolean;
}

export interface HostProcess {
  /** `monolith`, `orders-1`. */
  readonly name: string;
  readonly pid: number;
  /** Its internal port. */
  readonly url: string;
  readonly modules: readonly string[];
}

const PATIENCE_MS = 60_000;

export class Instance {
  readonly side: Side;
  readonly topology: Topology;
  readonly dataDir: string;
  readonly #installation: Installation;
  #options: StartOptions = {};
  #postgres: EmbeddedServer | undefined;
  #broker: Broker | undefined;
  #monolith: Launched | undefined;
  #port = 0;
  #internalPort = 0;
  #url = '';
  #hosts: readonly HostProcess[] = [];
  /** From the start of the monolith's process to its first word that it serves. */
  readyMs = 0;

  constructor(side: Side, topology: Topology, dataDir: string, installation: Installation) {
    this.side = side;
    this.topology = topology;
    this.dataDir = dataDir;
    this.#installation = installation;
  }

  get url(): string {
    return this.#url;
  }

  get databaseUrl(): string {
    return this.#postgres!.url;
  }

  get postgresPid(): number {
    return this.#postgres!.pid;
  }

  get brokerPid(): number | undefined {
    return this.#broker?.pid;
  }

  /** False once its process ended, whoever ended it. */
  get monolithRuns(): boolean {
    return this.#monolith?.running ?? false;
  }

  get hosts(): readonly HostProcess[] {
    return this.#hosts;
  }

  async start(options: StartOptions = {}): Promise<void> {
    const { signal } = this.#installation;
    signal.throwIfAborted();
    this.#options = options;
    this.#postgres = await openEmbedded({ dataDir: this.dataDir, log: pino({ level: 'silent' }) });
    pin(this.#postgres.pid, this.#installation.cores);
    if (this.#installation.log === 'kafka' && !this.#broker) {
      this.#broker = await startBroker({ cacheDir: join(root, 'node_modules/.cache/kafka') }).catch(
        (error: Error) => {
          throw new Refusal(
            'no-broker',
            'No broker could be started',
            error.message,
            'Leave --log kafka out',
          );
        },
      );
      if (this.#broker.pid) pin(this.#broker.pid, this.#installation.cores);
    }
    for (let attempt = 1; ; attempt++) {
      [this.#port, this.#internalPort] = (await portsOf(2)) as [number, number];
      try {
        await this.startMonolith();
        break;
      } catch (error) {
        // Somebody took one of them in between.
        if (attempt === 3 || !/PORT/.test((error as Error).message)) throw error;
      }
    }
    await this.#extract();
  }

  /** Also used after it was killed: on the same ports, so that clients and services find it again. */
  async startMonolith(): Promise<void> {
    const { env, secrets, cores, signal } = this.#installation;
    signal.throwIfAborted();
    const { otlp, heapMb, faults } = this.#options;
    const monolith = launch({
      // Ctrl-C in a terminal reaches the command, which ends this in order.
      leads: true,
      output: { file: join(this.dataDir, 'monolith.log') },
      env: {
        ...env,
        NODE_ENV: 'production',
        ...(heapMb && { NODE_OPTIONS: `--max-old-space-size=${heapMb}` }),
        ...(faults && { BANYAN_FAULTS: '1' }),
        ...(otlp && {
          OTEL_EXPORTER_OTLP_ENDPOINT: otlp,
          // Only spans are drawn; what else there is would be in the way of the requests.
          OTEL_METRICS_EXPORTER: 'none',
          OTEL_LOGS_EXPORTER: 'none',
        }),
        ...(this.#broker && { BROKER_URL: this.#broker.url }),
        PORT: String(this.#port),
        INTERNAL_PORT: String(this.#internalPort),
        DATA_DIR: this.dataDir,
        DATABASE_URL: this.databaseUrl,
        ADMIN_TOKEN: secrets.adminToken,
        ROOT_KEY: secrets.rootKey,
      },
    });
    this.#monolith = monolith;
    pin(monolith.pid, cores);
    await monolith.up(signal).catch((error: Error) => {
      signal.throwIfAborted();
      throw this.#notStarted(error.message);
    });
    this.#url = monolith.url;
    this.readyMs = monolith.readyMs;
    await this.look();
  }

  async #extract(): Promise<void> {
    const { services } = this.topology;
    await Promise.all(
      [...services].map(([module, instances]) =>
        this.admin('PUT', `/admin/services/${module}`, { instances }),
      ),
    );
    for (const module of services.keys()) await this.place(module, 'service');
    await this.look();
  }

  async place(module: string, placement: 'service' | 'in-process'): Promise<void> {
    await this.admin('PUT', `/admin/placements/${module}`, { placement });
  }

  async scale(module: string, instances: number): Promise<void> {
    await this.admin('PUT', `/admin/services/${module}`, { instances });
    await this.look();
  }

  /** Who runs now. */
  async look(): Promise<Overview> {
    const overview = await this.admin<Overview>('GET', '/admin/placements');
    const own = overview.modules
      .filter(({ placement }) => placement === 'in-process')
      .map(({ module }) => module);
    this.#hosts = [
      {
        name: 'monolith',
        pid: this.#monolith!.pid,
        url: `http://127.0.0.1:${this.#internalPort}`,
        modules: ['gateway', ...own],
      },
      ...overview.modules.flatMap(({ module, instances }) =>
        instances.flatMap(({ id, pid, url }) =>
          pid === null || url === null ? [] : [{ name: id, pid, url, modules: [module] }],
        ),
      ),
    ];
    return overview;
  }

  async admin<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(new URL(path, this.#url), {
      method,
      headers: {
        authorization: `Bearer ${this.#installation.secrets.adminToken}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), this.#installation.signal]),
    });
    if (!response.ok)
      throw new Error(
        `${method} ${path} at ${this.topology.label}: ${response.status} ${await response.text()}`,
      );
    return (await response.json()) as T;
  }

  /** Safe at any moment, also when a start broke off. */
  async stop(): Promise<void> {
    const monolith = this.#monolith;
    this.#monolith = undefined;
    await monolith?.end();
    this.#hosts = [];
    await this.#broker?.stop();
    this.#broker = undefined;
    await this.#postgres?.stop();
    this.#postgres = undefined;
  }

  /** For people: its last line says it. */
  #notStarted(words: string): Error {
    return new Refusal(
      'start-failed',
      `The ${this.topology.label} did not start`,
      words.trim().split('\n').at(-1)!,
    );
  }
}

async function portsOf(count: number): Promise<number[]> {
  return freePorts(count).catch((error: Error) => {
    throw new Refusal(
      'no-port',
      'No port is free',
      error.message,
      'End what listens on loopback, and try again',
    );
  });
}

/** With owners and modes, as PostgreSQL wants its folder back. */
export function copyFolder(from: string, to: string): void {
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  if (status !== 0)
    throw new Refusal(
      'no-room',
      'The data could not be copied',
      stderr.trim().split('\n')[0] ?? 'cp failed',
      'Make room, or set TMPDIR to a folder that has 1 GB free',
    );
}
