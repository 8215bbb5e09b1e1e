// Starts a shop as its users do: `node src/main.ts` as a process, on a database of its own that is a copy of
// one made ready once per run. Ends with nothing left. `NODE_ENV=test` forces every near call through JSON.
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { inject } from 'vitest';

/** What the run's global setup made: a server, and a database with migrations and seeds. */
export interface TestGround {
  /** The superuser's URL of the ready database. */
  readonly template: string;
  readonly dataDir: string;
  readonly adminToken: string;
  readonly internalKey: string;
  readonly signingKey: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    ground: TestGround;
  }
}

export interface StartedShop {
  readonly url: string;
  readonly adminToken: string;
  readonly dataDir: string;
  /** The superuser's URL of this shop's database. */
  readonly databaseUrl: string;
  /** The monolith's process; another one after `restart`. */
  readonly child: ChildProcess;
  readonly env: Readonly<Record<string, string>>;
  /** Moves the module into `instances` processes and waits until it serves from there. */
  extract(module: string, instances?: number): Promise<void>;
  restore(module: string): Promise<void>;
  /** Starts the monolith again after it was killed, on the same data. */
  restart(): Promise<void>;
  /** What the monolith has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL('..', import.meta.url));

export interface ShopOptions {
  /** Added to the environment of the monolith. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startShop({ env: extra = {} }: ShopOptions = {}): Promise<StartedShop> {
  const ground = inject('ground');
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
    PATH: process.env.PATH!,
    HOME: process.env.HOME!,
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl.href,
    STORAGE_URL: `file://${ground.dataDir}/media`,
    ADMIN_TOKEN: ground.adminToken,
    INTERNAL_KEY: ground.internalKey,
    SIGNING_KEY: ground.signingKey,
    ...extra,
  };
  return new Shop(env, dataDir, databaseUrl.href, name).start();
}

class Shop implements StartedShop {
  readonly env: Readonly<Record<string, string>>;
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly #database: string;
  url = '';
  child!: ChildProcess;
  #output = '';

  constructor(env: Readonly<Record<string, string>>, dataDir: string, databaseUrl: string, database: string) {
    this.env = env;
    this.dataDir = dataDir;
    this.databaseUrl = databaseUrl;
    this.#database = database;
  }

  get adminToken(): string {
    return this.env.ADMIN_TOKEN!;
  }

  output(): string {
    return this.#output;
  }

  async start(): Promise<this> {
    const { child, url } = await startMonolith(this.env, this.dataDir, (text) => {
      this.#output += text;
    });
    this.child = child;
    this.url = url;
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
    await stopProcess(this.child);
    await administer(inject('ground').template, `DROP DATABASE ${this.#database} WITH (FORCE)`);
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Starts a monolith and waits until it says where it is. */
export async function startMonolith(
  env: Readonly<Record<string, string>>,
  dataDir: string,
  onOutput: (text: string) => void = () => {},
): Promise<{ child: ChildProcess; url: string }> {
  const file = join(dataDir, 'instance.json');
  rmSync(file, { force: true });
  const child = spawn(process.execPath, [join(root, 'src/main.ts')], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onOutput(text);
    });
  }
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the monolith did not start:\n${output}`);
    if (existsSync(file)) {
      // Nobody asked it to end: its last words are what a failed test needs first.
      child.once('exit', (code) => {
        if (code) process.stderr.write(`a monolith ended with ${code}:\n${output.slice(-4000)}\n`);
      });
      return { child, url: (JSON.parse(readFileSync(file, 'utf8')) as { url: string }).url };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function stopProcess(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  return ended;
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
