// Starts a shop as its users do: `node src/main.ts` as a process, on a database of its own that is a copy of
// one made ready once per run. Ends with nothing left. `NODE_ENV=test` forces every near call through JSON.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { type Env, type Launched, launch } from '../stage/launch.ts';
import type { Installation } from '../stage/ring.ts';

/** What the run's global setup made: a server, and a database with migrations and seeds. */
export interface TestGround {
  /** The superuser's URL of the ready database. */
  readonly template: string;
  readonly dataDir: string;
  readonly adminToken: string;
  readonly rootKey: string;
  /** Of the version before: the ring takes it over, so a test can sign sessions. */
  readonly signingKey: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    grounds: readonly TestGround[];
    /** How many there are to be; default: one. */
    servers?: number;
  }
}

/** Where the shops of this worker are. */
function groundHere(): TestGround {
  const grounds = inject('grounds');
  return grounds[(Number(process.env.VITEST_POOL_ID) - 1) % grounds.length]!;
}

export interface StartedShop {
  readonly url: string;
  readonly adminToken: string;
  readonly dataDir: string;
  /** The superuser's URL of this shop's database. */
  readonly databaseUrl: string;
  /** The monolith's process; another one after `restart`. */
  readonly host: Launched;
  readonly env: Env;
  /** Moves the module into `instances` processes and waits until it serves from there. */
  extract(module: string, instances?: number): Promise<void>;
  restore(module: string): Promise<void>;
  /** Starts the monolith again after it was killed, on the same data. */
  restart(): Promise<void>;
  /** What the monolith has printed so far, the ones before a restart among it. */
  output(): string;
  stop(): Promise<void>;
}

export interface ShopOptions {
  /** Added to the environment of the monolith. */
  readonly env?: Env;
  /** Another file than the monolith's own. */
  readonly entry?: string;
}

export async function startShop({ env: extra = {}, entry }: ShopOptions = {}): Promise<StartedShop> {
  const ground = groundHere();
  const name = `shop_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  await administer(
    ground.template,
    `CREATE DATABASE ${name} TEMPLATE ${new URL(ground.template).pathname.slice(1)}`,
  );
  const databaseUrl = new URL(ground.template);
  databaseUrl.pathname = `/${name}`;
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-shop-'));
  copyFileSync(join(ground.dataDir, 'seeds.json'), join(dataDir, 'seeds.json'));
  const env = {
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl.href,
    STORAGE_URL: `file://${ground.dataDir}/media`,
    ADMIN_TOKEN: ground.adminToken,
    ROOT_KEY: ground.rootKey,
    SIGNING_KEY: ground.signingKey,
    ...extra,
  };
  return new Shop(env, dataDir, databaseUrl.href, name, entry).start();
}

/** Whose ring stage/ring.ts reads. */
export function installationOf({ databaseUrl, env }: Pick<StartedShop, 'databaseUrl' | 'env'>): Installation {
  return { databaseUrl, rootKey: env.ROOT_KEY! };
}

class Shop implements StartedShop {
  readonly env: Env;
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly #database: string;
  readonly #entry: string | undefined;
  url = '';
  host!: Launched;
  #output = '';

  constructor(env: Env, dataDir: string, databaseUrl: string, database: string, entry?: string) {
    this.env = env;
    this.dataDir = dataDir;
    this.databaseUrl = databaseUrl;
    this.#database = database;
    this.#entry = entry;
  }

  get adminToken(): string {
    return this.env.ADMIN_TOKEN!;
  }

  output(): string {
    return this.#output;
  }

  async start(): Promise<this> {
    const onOutput = (text: string) => {
      this.#output += text;
    };
    this.host = await launch({ env: this.env, onOutput, ...(this.#entry && { entry: this.#entry }) }).up();
    this.url = this.host.url;
    return this;
  }

  async restart(): Promise<void> {
    await this.start();
  }

  async extract(module: string, instances = 1): Promise<void> {
    await this.#admin(`/admin/services/${module}`, { instances });
    await this.#admin(`/admin/placements/${module}`, { placement: 'service' });
  }

  async restore(module: string): Promise<void> {
    await this.#admin(`/admin/placements/${module}`, { placement: 'in-process' });
    await this.#admin(`/admin/services/${module}`, { instances: 0 });
  }

  async #admin(path: string, body: object): Promise<void> {
    const response = await fetch(new URL(path, this.url), {
      method: 'PUT',
      headers: { authorization: `Bearer ${this.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (response.status !== 200)
      throw new Error(`${path}: ${response.status} ${await response.text()}\n${this.#output}`);
  }

  async stop(): Promise<void> {
    await this.host.end();
    await administer(groundHere().template, `DROP DATABASE ${this.#database} WITH (FORCE)`);
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** One statement as superuser, outside of any shop's database. */
async function administer(template: string, sql: string): Promise<void> {
  const url = new URL(template);
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    // Two workers that copy the same template wait for one another.
    for (let attempt = 1; ; attempt += 1) {
      try {
        await client.query(sql);
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== '55006' || attempt === 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  } finally {
    await client.end();
  }
}
