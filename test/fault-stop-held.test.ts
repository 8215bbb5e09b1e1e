// A stop ends, whoever holds on: clients that read or send without end, services and databases that stand still, mail
// servers, brokers and collectors that take a connection and say nothing. Requests that come in meanwhile are answered,
// and told that their connection ends.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ended, type Own, ownBanyan } from './fault-own.ts';
import { place, scale } from './flip-modules.ts';
import { eventually, type Shop } from './shop.ts';

/** DRAIN_MS and the two seconds after it; what a loaded machine adds is its own. */
const BOUND_MS = 22_000;

let own: Own;
const sockets: Socket[] = [];
const servers: Server[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
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
  const [server] = [...own.processes()].find(([, words]) => words.includes('bin/postgres'))!;
  const { execFileSync } = await import('node:child_process');
  const backends = execFileSync('pgrep', ['-P', String(server)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
  for (const pid of [server, ...backends]) process.kill(pid, 'SIGSTOP');
  expect(await stopped(child, ended(child))).toBeLessThan(BOUND_MS);
  await eventually(() => {
    for (const pid of [server, ...backends]) expect(() => process.kill(pid, 0), String(pid)).toThrow('ESRCH');
  });
  // And the next start recovers what was cut off.
  const second = await own.start();
  expect((await second.shop.call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
  expect(await stopped(second.child, ended(second.child))).toBeLessThan(BOUND_MS);
});

test('a broker that says nothing', { timeout: 120_000 }, async () => {
  own = ownBanyan({ BROKER_URL: `kafka://127.0.0.1:${await silentServer()}` });
  const { child, shop } = await own.start();
  expect((await shop.call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
  expect(await stopped(child, ended(child))).toBeLessThan(BOUND_MS);
  expect(own.processes()).toEqual(new Map());
});
