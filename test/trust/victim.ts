// The shop that is attacked: a monolith as `npm start` runs it, on its own server and folder, with media and orders
// extracted; somebody who bought something, and what they know of it. Guarantees: a photograph has everything that must not
// change by an attack on anything but media (rows, topics, offsets, hosts, placements, roles), so that two of them compare;
// it is taken by the superuser, and no product code has a part in it.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findPostmaster } from '../../src/banyan/postgres/postmaster.ts';
import { type Launched, launch } from '../../stage/launch.ts';
import { type Customer, clientOf, eventually, type Shop } from '../shop.ts';
import type { StartedShop } from '../start-shop.ts';

export interface Photograph {
  readonly [what: string]: unknown;
}

const secretFiles = ['admin-token', 'internal-key', 'root-key', 'postgres-password'];

export class Victim {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'banyan-trust-'));
  host!: Launched;
  shop!: Shop;
  customer!: Customer;
  product!: { id: string };
  /** Confirmed, paid, mailed. */
  orderId!: string;
  /** Of a monolith that did not start. */
  lastWords = '';
  #pool!: pg.Pool;

  async open(): Promise<this> {
    this.host = await launch({ env: { PORT: '0', DATA_DIR: this.dataDir } }).up();
    const { port } = findPostmaster(join(this.dataDir, 'postgres/data'))!;
    const databaseUrl = `postgres://postgres:${this.secret('postgres-password')}@127.0.0.1:${port}/banyan`;
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
    this.#pool.on('error', () => {});
    const started = {
      url: this.host.url,
      adminToken: this.secret('admin-token'),
      dataDir: this.dataDir,
      databaseUrl,
    };
    this.shop = clientOf(started as StartedShop);
    for (const module of ['media', 'orders']) {
      await this.admin('PUT', `/admin/services/${module}`, { instances: 1 });
      await this.admin('PUT', `/admin/placements/${module}`, { placement: 'service' });
    }
    this.customer = await this.shop.customer();
    this.product = await this.shop.product();
    this.orderId = await this.buys();
    // Background work follows a flip two seconds later: orders hears events in its own process, by its own role.
    await eventually(async () => {
      const members = await this.ask(`SELECT usename FROM banyan_log.member JOIN pg_stat_activity USING (pid)
        WHERE group_name = 'orders' AND expires_at > now()`);
      if (members.length !== 1 || members[0]!.usename !== 'banyan_orders')
        throw new Error(JSON.stringify(members));
    });
    return this;
  }

  secret(name: string): string {
    return readFileSync(join(this.dataDir, name), 'utf8').trim();
  }

  /** What nobody but the monolith may know, by its file. */
  secrets(): Map<string, string> {
    const found = new Map<string, string>();
    for (const name of secretFiles)
      if (existsSync(join(this.dataDir, name))) found.set(name, this.secret(name));
    const key = join(this.dataDir, 'signing-key.json');
    if (existsSync(key)) found.set('signing-key.json', JSON.parse(readFileSync(key, 'utf8')).d);
    return found;
  }

  async admin(method: string, path: string, body?: object): Promise<void> {
    const answer = await this.shop.call(method, path, { token: this.shop.adminToken, ...(body && { body }) });
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async ask<T = Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.#pool.query(sql, values)).rows as T[];
  }

  /** An order that is confirmed within the time; answers its id. */
  async buys(withinMs = 15_000): Promise<string> {
    const { id } = await this.shop.order(this.customer, [{ productId: this.product.id, quantity: 1 }]);
    await eventually(async () => {
      const { body } = await this.shop.call('GET', `/api/orders/${id}`, { token: this.customer.token });
      if (body.status !== 'confirmed') throw new Error(`the order is ${body.status}`);
    }, withinMs);
    return id;
  }

  async pidOf(id: string): Promise<number> {
    const [row] = await this.ask<{ pid: number }>(
      'SELECT pid FROM banyan_control.host WHERE live AND id = $1',
      [id],
    );
    return row!.pid;
  }

  /** Once nothing is under way. */
  async photograph(): Promise<Photograph> {
    const rest = await this.ask<{ waiting: number }>(`
      SELECT (SELECT count(*) FROM banyan_log.partition p JOIN banyan_log.claim c USING (topic, partition)
        WHERE c.committed < p.next_offset)::int AS waiting`);
    if (rest[0]!.waiting > 0) throw new Error(`${rest[0]!.waiting} partitions have news`);
    const taken: Record<string, unknown> = {};
    for (const [what, sql] of Object.entries(sights)) taken[what] = await this.ask(sql);
    for (const table of tables) {
      const [row] = await this.ask(
        `SELECT count(*)::int AS rows, md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) AS digest FROM ${table} t`,
      );
      taken[table] = row;
    }
    return taken;
  }

  /** Another monolith on the same database; answers whether it is up within the time. */
  async startsAnother(withinMs: number): Promise<boolean> {
    const dataDir = mkdtempSync(join(tmpdir(), 'banyan-trust-b-'));
    const given: Record<string, string> = {};
    for (const [name, variable] of Object.entries({
      'admin-token': 'ADMIN_TOKEN',
      'internal-key': 'INTERNAL_KEY',
      'root-key': 'ROOT_KEY',
      'signing-key.json': 'SIGNING_KEY',
    }))
      if (existsSync(join(this.dataDir, name))) given[variable] = this.secret(name);
    const env = { PORT: '0', DATA_DIR: dataDir, INSTANCE_ID: 'monolith-b', ...given };
    const host = launch({ env: { ...env, DATABASE_URL: this.shop.started.databaseUrl } });
    try {
      await host.up(AbortSignal.timeout(withinMs));
      return true;
    } catch {
      this.lastWords = host.output().slice(-2000);
      return false;
    } finally {
      await (host.url ? host.end() : host.kill());
      rmSync(dataDir, { recursive: true, force: true });
    }
  }

  /** The lines that hosts wrote into their security logs so far. */
  securityLog(): Record<string, unknown>[] {
    const files: string[] = [];
    const look = (folder: string, deep: number) => {
      for (const name of existsSync(folder) ? readdirSync(folder) : []) {
        if (name.startsWith('security.jsonl')) files.push(join(folder, name));
        else if (deep > 0 && statSync(join(folder, name)).isDirectory()) look(join(folder, name), deep - 1);
      }
    };
    look(this.dataDir, 0);
    look(join(this.dataDir, 'services'), 1);
    return files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    );
  }

  async close(): Promise<void> {
    await this.#pool?.end().catch(() => {});
    await this.host?.end();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

const tables = [
  'users.users',
  'orders.orders',
  'orders.sagas',
  'payments.payments',
  'card_network.charges',
  'catalog.products',
  'catalog.reservations',
  'notifications.notifications',
];

// Limits of connections follow the hosts that are there, half a minute late: that they are limits does not change.
const sights: Readonly<Record<string, string>> = {
  placements: 'SELECT module, placement, percent FROM banyan_control.placement ORDER BY module',
  'wanted processes': 'SELECT module, number, wanted FROM banyan_control.service ORDER BY module, number',
  hosts: `SELECT id, host, url, modules, live, ready, draining, retiring, replaceable FROM banyan_control.host
    WHERE live ORDER BY id`,
  'revoked sessions': 'SELECT user_id, epoch FROM banyan_control.revoked ORDER BY user_id',
  topics: `SELECT t.name, p.partition, p.next_offset FROM banyan_log.topic t JOIN banyan_log.partition p ON p.topic = t.id
    WHERE t.name <> 'media.events' ORDER BY 1, 2`,
  records: `SELECT t.name, count(r)::int, md5(coalesce(string_agg(r::text, '' ORDER BY r::text), '')) AS digest
    FROM banyan_log.topic t LEFT JOIN banyan_log.record r ON r.topic = t.id WHERE t.name <> 'media.events' GROUP BY 1 ORDER BY 1`,
  offsets: 'SELECT group_name, topic, partition, committed FROM banyan_log.claim ORDER BY 1, 2, 3',
  members: 'SELECT group_name, count(*)::int FROM banyan_log.member GROUP BY 1 ORDER BY 1',
  roles: `SELECT rolname, rolpassword, rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
    rolconnlimit BETWEEN 1 AND 399 AS limited, rolvaliduntil FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY 1`,
  'settings of roles':
    'SELECT setdatabase, setrole::regrole::text, setconfig FROM pg_db_role_setting ORDER BY 1, 2',
  'members of roles':
    'SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members ORDER BY 1, 2',
  databases: 'SELECT datname, datacl::text, datallowconn FROM pg_database ORDER BY 1',
  schemas: "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp' ORDER BY 1",
  things: `SELECT relnamespace::regnamespace::text AS place, relname, relowner::regrole::text, relacl::text FROM pg_class
    WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1, 2`,
  functions: `SELECT pronamespace::regnamespace::text AS place, proname, md5(prosrc) AS digest, proacl::text FROM pg_proc
    WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1, 2, 3`,
};
