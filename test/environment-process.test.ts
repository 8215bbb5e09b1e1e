// The environment as processes meet it: the one line on stderr and exit 1; a service that was told everything
// keeps nothing on its disk; a DATA_DIR whose name has spaces and signs is a DATA_DIR like any other.
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRootKey } from '../src/banyan/identity/root-key.ts';
import { roleUrl, runtimeRole } from '../src/banyan/postgres/roles.ts';
import { type Env, launch } from '../stage/launch.ts';
import { serviceKeyOf } from '../stage/ring.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { installationOf, type StartedShop, startShop } from './start-shop.ts';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const start = (entry: string, env: Env, args: readonly string[] = []) =>
  launch({ entry, args, env: { NODE_ENV: 'test', ...env } });

function run(entry: string, env: Env, args?: readonly string[]): Promise<Ended> {
  const { child } = start(entry, env, args);
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (text) => {
    stdout += text;
  });
  child.stderr!.on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

let shop: Shop;
beforeAll(async () => {
  shop = clientOf(await startShop());
});
afterAll(() => shop?.started.stop());

describe('a process', () => {
  let folder: string;
  let taken: Server;
  let port: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'banyan environment '));
    taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    port = String((taken.address() as { port: number }).port);
  });
  afterAll(() => {
    taken.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const dies = async (line: RegExp, env: Env, entry = 'src/main.ts') => {
    const ended = await run(entry, { DATA_DIR: join(folder, 'none'), ...env });
    expect(ended.stderr).toMatch(line);
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(ended.code).toBe(1);
  };

  it('says a mistake in one line and exits 1', () =>
    Promise.all([
      dies(/^banyan: PORT is "80x"\. Use a whole number/, { PORT: '80x' }),
      dies(
        /^banyan: CONTROL_URL is not set, and MODULES=orders is a service\. /,
        {},
        'extracted/orders/main.ts',
      ),
    ]));

  it('says that the database does not answer', () =>
    dies(/^banyan: DATABASE_URL: .* Check host, port, user, password and database\.$/m, {
      DATABASE_URL: 'postgres://a:b@127.0.0.1:1/banyan',
      PORT: '0',
    }));

  const besideShop = (env: Env) => {
    const { DATABASE_URL, STORAGE_URL, ADMIN_TOKEN, ROOT_KEY } = shop.started.env;
    const DATA_DIR = mkdtempSync(join(folder, 'beside '));
    return { DATA_DIR, DATABASE_URL, STORAGE_URL, ADMIN_TOKEN, ROOT_KEY, ...env } as Env;
  };

  it('says that its port is taken', () =>
    dies(
      /^banyan: PORT \d+ is in use by another program\. Stop that one, or set PORT to a free port\.$/m,
      besideShop({ PORT: port }),
    ));

  it('says that its internal port is taken', () =>
    dies(
      /^banyan: INTERNAL_PORT \d+ is in use by another program\. /,
      besideShop({ PORT: '0', INTERNAL_PORT: port }),
    ));

  it('says that its address is none', () =>
    dies(
      /^banyan: HOST 192\.0\.2\.1 is no address of this machine\. /,
      besideShop({ PORT: '0', HOST: '192.0.2.1' }),
    ));

  it('makes a database ready and ends, also twice at once, where it is told to do that alone', async () => {
    const database = `ready_${process.pid}`;
    const there = new URL(shop.started.databaseUrl);
    there.pathname = `/${database}`;
    const ask = async (url: string, text: string) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return (await client.query(text).finally(() => client.end())).rows;
    };
    await ask(shop.started.databaseUrl, `CREATE DATABASE ${database}`);
    try {
      const env = besideShop({ DATABASE_URL: there.href });
      for (const { code, stdout, stderr } of await Promise.all(
        [1, 2].map(() => run('src/main.ts', env, ['--migrate'])),
      )) {
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(stdout).toContain('the database is ready for this version');
      }
      const made = `SELECT to_regclass('orders.event_outbox') IS NOT NULL AS made,
        (SELECT count(*)::int FROM banyan_control.host) AS hosts`;
      expect(await ask(there.href, made)).toEqual([{ made: true, hosts: 0 }]);
      expect(readdirSync(env.DATA_DIR!)).toEqual([]);
    } finally {
      await ask(shop.started.databaseUrl, `DROP DATABASE ${database} WITH (FORCE)`);
    }
  });

  it('says that it has no database to make ready', async () => {
    const ended = await run('src/main.ts', { DATA_DIR: join(folder, 'none') }, ['--migrate']);
    expect(ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^banyan: DATABASE_URL is not set, and --migrate .*\n$/),
    });
  });

  it('explains itself in 80 columns', async () => {
    const { code, stdout, stderr } = await run('src/main.ts', { DATA_DIR: join(folder, 'help') }, ['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('npx banyan --help');
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(existsSync(join(folder, 'help'))).toBe(false);
  });
});

/** The environment of a service that no monolith starts. */
async function toldOrders(DATA_DIR: string) {
  const { env, databaseUrl } = shop.started;
  const secret = createRootKey(env.ROOT_KEY!).roleSecret;
  return {
    DATA_DIR,
    CONTROL_URL: /INTERNAL_PORT is open at (http:\S+?)"/.exec(shop.started.output())![1]!,
    SERVICE_KEY: JSON.stringify(await serviceKeyOf(installationOf(shop.started), 'orders')),
    ADMIN_TOKEN: env.ADMIN_TOKEN!,
    BROKER_URL: roleUrl(databaseUrl, secret, 'banyan_log'),
    DATABASE_URL_ORDERS: roleUrl(databaseUrl, secret, runtimeRole('orders')),
    STORAGE_URL: env.STORAGE_URL!,
    INSTANCE_ID: 'orders-7',
  };
}

describe('a host on a database that an older monolith prepared', () => {
  const missing = async (schema: string, work: () => Promise<void>) => {
    const client = new pg.Client({ connectionString: shop.started.databaseUrl });
    await client.connect();
    try {
      await client.query(`ALTER TABLE ${schema}.limit_guess RENAME TO not_yet`);
      await work();
    } finally {
      await client.query(`ALTER TABLE ${schema}.not_yet RENAME TO limit_guess`);
      await client.end();
    }
  };
  const helps = 'start (or update) the monolith first, then this host.\n';

  it('as a service says what is missing, and ends', () =>
    missing('orders', async () => {
      const ended = await run('extracted/orders/main.ts', await toldOrders(join(shop.dataDir, 'never')));
      expect(ended.stderr).toBe(
        'banyan: DATABASE_URL_ORDERS: the schema orders has no limit_guess. ' +
          `This version needs what only a monolith of this version makes: ${helps}`,
      );
      expect(ended.code).toBe(1);
    }));

  it('as a gateway alone says so, too', () =>
    missing('banyan_control', async () => {
      const DATA_DIR = join(shop.dataDir, 'gateway');
      const ended = await run('src/main.ts', {
        ...shop.started.env,
        DATA_DIR,
        MODULES: 'none',
        HOST: '127.0.0.1',
      });
      expect(ended.stderr).toContain('banyan: DATABASE_URL: the schema banyan_control has no limit_guess. ');
      expect(ended.stderr).toContain(helps);
      expect(ended.code).toBe(1);
    }));

  it('starts while that database does not answer, and ends once it does', { timeout: 60_000 }, () =>
    missing('orders', async () => {
      const { port, searchParams } = new URL(shop.started.databaseUrl);
      // A port that is known before anybody listens at it.
      const held = createServer().listen(0, '127.0.0.1');
      await once(held, 'listening');
      const own = (held.address() as AddressInfo).port;
      await new Promise((resolve) => held.close(resolve));
      const told = await toldOrders(join(shop.dataDir, 'never'));
      const url = Object.assign(new URL(told.DATABASE_URL_ORDERS), { host: `127.0.0.1:${own}`, search: '' });
      const host = start('extracted/orders/main.ts', { ...told, DATABASE_URL_ORDERS: url.href });
      const relay = createServer((socket) => {
        const there = connect(`${searchParams.get('host')}/.s.PGSQL.${port}`);
        for (const one of [socket, there]) one.on('error', () => {});
        socket.pipe(there).pipe(socket);
      });
      try {
        await expect.poll(() => host.output()).toContain('"serving"');
        relay.listen(own, '127.0.0.1');
        await expect.poll(() => host.child.exitCode, { timeout: 20_000 }).toBe(1);
        expect(host.output()).toContain('the schema orders has no limit_guess');
      } finally {
        host.child.kill('SIGKILL');
        await host.ended;
        relay.close();
      }
    }),
  );
});

describe('a service that was told everything', () => {
  it('serves, and keeps nothing on its disk', async () => {
    const DATA_DIR = join(shop.dataDir, 'never');
    const host = start('extracted/orders/main.ts', await toldOrders(DATA_DIR));
    try {
      const token = shop.adminToken;
      await eventually(async () => {
        const { body } = await shop.call('GET', '/admin/placements', { token });
        const orders = body.modules.find(({ module }: { module: string }) => module === 'orders');
        expect(orders.instances).toMatchObject([{ id: 'orders-7', pid: host.pid, healthy: true }]);
      });
      const placed = await shop.call('PUT', '/admin/placements/orders', {
        token,
        body: { placement: 'service' },
      });
      expect(placed.status).toBe(200);
      const customer = await shop.customer();
      const product = await shop.product();
      const order = await shop.order(customer, [{ productId: product.id, quantity: 1 }]);
      expect((await shop.final(customer, order.id)).status).toBe('confirmed');
      const list = await shop.call('GET', '/api/orders', { token: customer.token });
      expect(list.headers.get('x-served-by')).toBe('orders-7');
    } finally {
      expect(await host.end()).toBe(0);
    }
    expect(existsSync(DATA_DIR)).toBe(false);
  });
});

describe('a DATA_DIR whose name has spaces and signs', () => {
  it('is one like any other', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'banyan-name-'));
    const dataDir = join(parent, "a b#c%41d?é'$x");
    mkdirSync(dataDir);
    const host = await start('src/main.ts', { PORT: '0', DATA_DIR: dataDir }).up();
    try {
      const adminToken = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
      const client = clientOf({ url: host.url, adminToken, dataDir } as StartedShop);
      const cli = (...args: string[]) => run('bin/banyan.mjs', { DATA_DIR: dataDir }, args);
      const extracted = await cli('extract', 'media');
      expect(extracted.code, extracted.stderr).toBe(0);
      const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
        .png()
        .toBuffer();
      const form = new FormData();
      form.set('file', new Blob([new Uint8Array(png)]), 'a.png');
      const { token } = await client.customer();
      const uploaded = await client.call('POST', '/api/media', { token, body: form });
      expect(uploaded.status, JSON.stringify(uploaded.body)).toBe(201);
      expect(uploaded.headers.get('x-served-by')).toBe('media-1');
      const restored = await cli('restore', 'media');
      expect(restored.code, restored.stderr).toBe(0);
      const shown = await client.call('GET', `/api/media/${uploaded.body.id}`);
      expect(shown.body.equals(png)).toBe(true);
      expect(shown.headers.get('x-served-by')).toBe('monolith');
    } finally {
      expect(await host.end()).toBe(0);
    }
    // Pictures, mails and logs are inside, and nothing is beside it.
    expect(readdirSync(dataDir)).toEqual(expect.arrayContaining(['logs', 'media', 'seeds.json']));
    expect(readdirSync(parent)).toEqual([dataDir.slice(parent.length + 1)]);
    expect(
      readdirSync(dataDir, { recursive: true }).filter((name) => /\.(pid|lock)$/.test(String(name))),
    ).toEqual([]);
    rmSync(parent, { recursive: true, force: true });
  });
});
