// A stop ends, whoever holds on: clients that read or send without end, services and databases that stand still, mail
// servers, brokers and collectors that take a connection and say nothing. Requests that come in meanwhile are answered,
// and told that their connection ends.
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { ended, type Own, ownBanyan } from './fault-own.ts';
import { place, scale } from './flip-modules.ts';
import { eventually, type Shop } from './shop.ts';

/** DRAIN_MS and the two seconds after it; what a loaded machine adds is its own. */
const BOUND_MS = 22_000;

/** A start has no clients that need time; a second more as above. */
const START_BOUND_MS = 14_000;

let own: Own;
const sockets: Socket[] = [];
const servers: Server[] = [];
/** Were SIGSTOPped. Backends do not notice then that their server is gone. */
const standing: number[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  for (const pid of standing.splice(0)) if (isStopped(pid)) process.kill(pid, 'SIGKILL');
  own?.remove();
});

const open = async (url: string): Promise<Socket> => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
};

/** Takes connections and says nothing. */
const silentServer = async (): Promise<number> => {
  const server = createServer((socket) => void sockets.push(socket.on('error', () => {})));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
};

/** Sends SIGTERM; how long it took, once it has ended with 0 and nothing is left. */
const stopped = async (child: { kill(signal: NodeJS.Signals): boolean }, exit: Promise<unknown>) => {
  const begun = performance.now();
  child.kill('SIGTERM');
  expect(await exit, own.output()).toBe(0);
  return performance.now() - begun;
};

const isStopped = (pid: number): boolean => {
  try {
    return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

const isServer = (words: string) => words.includes('bin/postgres -D');
const isInitdb = (words: string) => words.includes('bin/initdb -D');

/** The embedded server's process, or the one that makes its folder; undefined while there is none. */
const find = (which = isServer) => [...own.processes()].find(([, words]) => which(words))?.[0];

/** SIGSTOP for a process and all that it has started; answers their pids. */
function freeze(pid = find()!): number[] {
  // It first: standing still, it starts no more.
  process.kill(pid, 'SIGSTOP');
  standing.push(pid);
  const below = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? [];
  return [pid, ...below.flatMap((one) => freeze(Number(one)))];
}

const gone = (pids: readonly number[]) =>
  eventually(() => {
    for (const pid of pids) expect(() => process.kill(pid, 0), String(pid)).toThrow('ESRCH');
    expect(own.processes()).toEqual(new Map());
  });

const get = 'GET /api/catalog/products?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n';

/** Clients that never come to an end, on that port. */
async function holdOn(url: string): Promise<void> {
  (await open(url)).write('GET /api/catalog/products HTTP/1.1\r\nHo');
  const upload = await open(url);
  upload.write(
    'POST /api/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{',
  );
  const trickle = setInterval(() => upload.write(' '), 500);
  upload.once('close', () => clearInterval(trickle));
  const reader = await open(url);
  reader.pause();
  for (let n = 0; n < 300; n += 1) reader.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n');
}

const extract = async (shop: Shop, module: string) => {
  expect((await scale(shop, module, 1)).status).toBe(200);
  expect((await place(shop, module, 'service')).status).toBe(200);
};

test('requests under way and on kept connections are answered, with Connection: close', {
  timeout: 90_000,
}, async () => {
  own = ownBanyan({ DRAIN_DELAY_MS: '1500' });
  const { child, shop } = await own.start();
  const idle = await open(shop.url);
  idle.write(get);
  await once(idle, 'data');
  const kept = await open(shop.url);
  kept.write(get);
  expect(String((await once(kept, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: keep-alive/i);
  // Its body comes once the host was told to stop.
  const under = await open(shop.url);
  const body = JSON.stringify({ email: 'nobody@banyan.example', password: 'not the password' });
  const head = ['POST /api/users/sessions HTTP/1.1', 'Host: x', 'Content-Type: application/json'];
  under.write(`${[...head, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n`);
  const refused = await open(shop.url);
  const exit = ended(child);
  const took = stopped(child, exit);
  await eventually(async () => expect((await fetch(`${shop.url}/health/ready`)).status).toBe(503));
  for (const [socket, words] of [
    [kept, get],
    [under, body],
    [refused, get.replace('/api/catalog/products', '/api/orders')],
  ] as const) {
    const closed = once(socket, 'close');
    socket.write(words);
    const [data] = await once(socket, 'data');
    expect(String(data)).toMatch(/^HTTP\/1\.1 [24]\d\d [\s\S]*\nconnection: close\r/i);
    await closed;
  }
  expect(await took).toBeLessThan(10_000);
  expect(own.processes()).toEqual(new Map());
});

test('clients that hold on, a service that stands still, a silent mail server and collector', {
  timeout: 120_000,
}, async () => {
  const [mail, collector] = [await silentServer(), await silentServer()];
  own = ownBanyan({
    SMTP_URL: `smtp://127.0.0.1:${mail}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector}`,
  });
  const { child, shop } = await own.start();
  const customer = await shop.customer();
  const product = await shop.product();
  await shop.order(customer, [{ productId: product.id, quantity: 1 }]);
  await extract(shop, 'media');
  await holdOn(shop.url);
  // A peer that stands still on the internal port: it has a request there, and reads nothing.
  const internal = /INTERNAL_PORT is open at (http:\S+?)"/.exec(own.output())![1]!;
  await holdOn(internal);
  // A tail that waits: told to stop, it answers with what it has.
  const tail = fetch(`${shop.url}/admin/events/tail?topic=orders.events&waitMs=20000`, {
    headers: { authorization: `Bearer ${shop.adminToken}` },
  });
  const [media] = [...own.processes()].find(([, words]) => words.includes('extracted/media'))!;
  process.kill(media, 'SIGSTOP');
  const exit = ended(child);
  const took = stopped(child, exit);
  const again = setInterval(() => child.kill('SIGTERM'), 1000);
  expect(await took).toBeLessThan(BOUND_MS);
  clearInterval(again);
  expect((await tail).status).toBe(200);
  await eventually(() => expect(own.processes()).toEqual(new Map()));
  expect(own.leftovers()).toEqual([]);
});

test('a database that stands still is ended all the same', { timeout: 120_000 }, async () => {
  own = ownBanyan();
  const { child } = await own.start();
  const frozen = freeze();
  expect(await stopped(child, ended(child))).toBeLessThan(BOUND_MS);
  await gone(frozen);
  // And the next start recovers what was cut off.
  const second = await own.start();
  expect((await second.shop.call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
  expect(await stopped(second.child, ended(second.child))).toBeLessThan(BOUND_MS);
});

const pidFile = () => join(own.dataDir, 'postgres', 'data', 'postmaster.pid');

/** Whether the embedded server answers, and has the schema. */
async function hasSchema(schema: string): Promise<boolean> {
  const port = Number(readFileSync(pidFile(), 'utf8').split('\n')[3]);
  // Its file is written a line at a time.
  if (!port) return false;
  const password = readFileSync(join(own.dataDir, 'postgres-password'), 'utf8');
  const client = new pg.Client(`postgres://postgres:${password}@127.0.0.1:${port}/banyan`);
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
    return rows.length > 0;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** How far a start has come. */
const moments: Record<string, () => boolean | Promise<boolean>> = {
  "its server's folder is being made": () =>
    own.leftovers().some((name) => /data\.\d+\/postmaster\.pid$/.test(name)) && find(isInitdb) !== undefined,
  'its server has just begun': () => existsSync(pidFile()) && find() !== undefined,
  'its server has the first schema': () => existsSync(pidFile()) && hasSchema('banyan_control'),
  'its server has every schema': () => own.output().includes('the database is ready'),
  'its internal port is open': () => own.output().includes('INTERNAL_PORT is open'),
};

test.each(Object.keys(moments))(
  'a start whose database stands still: %s',
  { timeout: 120_000 },
  async (moment) => {
    own = ownBanyan();
    const child = own.spawn();
    const exit = ended(child);
    while (!(await moments[moment]!())) await new Promise((resolve) => setTimeout(resolve, 2));
    const frozen = freeze(find(isInitdb) ?? find());
    expect(existsSync(join(own.dataDir, 'instance.json'))).toBe(false);
    expect(await stopped(child, exit)).toBeLessThan(START_BOUND_MS);
    await gone(frozen);
    expect(own.leftovers().filter((name) => name.includes('instance'))).toEqual([]);
  },
);

test('a start that waits for the database of another host is ended, and leaves it alone', {
  timeout: 120_000,
}, async () => {
  own = ownBanyan();
  const first = await own.start();
  const frozen = freeze();
  const second = own.spawn();
  const exit = ended(second);
  await eventually(() => expect(own.output()).toContain('waiting for the embedded PostgreSQL'), 30_000);
  expect(await stopped(second, exit)).toBeLessThan(START_BOUND_MS);
  for (const pid of frozen) process.kill(pid, 'SIGCONT');
  expect(find()).toBe(frozen[0]);
  await eventually(async () => {
    expect((await first.shop.call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
  }, 20_000);
  expect(await stopped(first.child, ended(first.child))).toBeLessThan(BOUND_MS);
  await gone(frozen);
});

test('a broker that says nothing', { timeout: 120_000 }, async () => {
  own = ownBanyan({ BROKER_URL: `kafka://127.0.0.1:${await silentServer()}` });
  const { child, shop } = await own.start();
  expect((await shop.call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
  expect(await stopped(child, ended(child))).toBeLessThan(BOUND_MS);
  expect(own.processes()).toEqual(new Map());
});
