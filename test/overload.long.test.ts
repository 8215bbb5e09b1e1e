// More than a module can do, and clients that mean no good: what is refused, what goes on, who is cut off. The module
// stands still because its table is locked, so that the numbers do not depend on the machine.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import pg from 'pg';
import { Pool } from 'undici';
import { expect, test } from 'vitest';
import { sendRaw } from './bad-input.ts';
import { withShop } from './shop.ts';

const FLOOD = 1100;
const LIMIT = 1000;

withShop((shop) => {
  const internal = () => /INTERNAL_PORT is open at (http:\S+?)"/.exec(shop().started.output())![1]!;
  const metric = async (name: string) => {
    const text = await (await fetch(`${internal()}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(name));
    return Number(line?.split(' ').at(-1));
  };

  const flood = async () => {
    const { token } = await shop().customer();
    const product = await shop().product({ stock: 100_000 });
    const locker = new pg.Client({ connectionString: shop().started.databaseUrl });
    await locker.connect();
    await locker.query('BEGIN; LOCK TABLE orders.orders IN ACCESS EXCLUSIVE MODE');
    const pool = new Pool(shop().url, { connections: FLOOD, pipelining: 1 });
    const order = async () => {
      const answer = await pool.request({
        method: 'POST',
        path: '/api/orders',
        headers: {
          authorization: `Bearer ${token}`,
          'idempotency-key': randomUUID(),
          'content-type': 'application/json',
        },
        body: JSON.stringify({ lines: [{ productId: product.id, quantity: 1 }], paymentToken: 'tok_ok' }),
      });
      const body = (await answer.body.json()) as { code?: string; module?: string };
      return { status: answer.statusCode, headers: answer.headers, body };
    };
    const before = await metric('banyan_shed_total{module="orders",reason="limit"');
    const asked = Array.from({ length: FLOOD }, order);
    const answered: Awaited<ReturnType<typeof order>>[] = [];
    for (const one of asked) void one.then((answer) => answered.push(answer));
    // Those beyond the limit are answered while all the others wait.
    await expect.poll(() => answered.length).toBe(FLOOD - LIMIT);
    for (const { status, headers, body } of answered) {
      expect([status, body.code, body.module]).toEqual([503, 'unavailable', 'orders']);
      expect(headers).toMatchObject({ 'retry-after': '1', 'x-content-type-options': 'nosniff' });
    }
    // Nobody else has any of it: not another module, not health, not the operator.
    expect((await shop().call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
    expect((await shop().call('GET', '/health/live')).status).toBe(200);
    expect((await shop().call('GET', '/admin/placements', { token: shop().started.adminToken })).status).toBe(
      200,
    );
    expect(await metric('banyan_shed_total{module="orders",reason="limit"')).toBe(before + FLOOD - LIMIT);
    await locker.query('COMMIT');
    await locker.end();
    // Whoever was let in is answered: done, or told by a problem that the store did not get to it in time.
    const all = await Promise.all(asked);
    expect(all.filter(({ status, body }) => status !== 202 && body.code === undefined)).toEqual([]);
    await expect.poll(async () => (await order()).status, { timeout: 30_000 }).toBe(202);
    await pool.close();
  };

  test('who never reads is cut off, and who reads slowly gets all of it', { timeout: 240_000 }, async () => {
    const connections = () => metric('banyan_connections{');
    // Nobody else is there whose leaving could be taken for the end of a reader; what is idle ends by itself.
    await expect.poll(connections, { timeout: 90_000, interval: 500 }).toBe(0);
    // Some 12 MB each, and 24: more than the buffers of both sides take.
    const bundle = '/docs/static/swagger-ui-bundle.js';
    const silent = Array.from({ length: 6 }, () => ask(shop().url, bundle, 8).pause());
    const times = 16;
    const slow = ask(shop().url, bundle, times);
    let got = 0;
    let length = 0;
    let hurries = false;
    slow.on('data', (part: Buffer) => {
      if (got === 0) length = Number(/\r\ncontent-length: (\d+)/i.exec(part.toString('latin1'))![1]);
      got += part.length;
      if (hurries) return;
      // 64 kB in 200 ms, until all that never read are gone.
      slow.pause();
      setTimeout(() => slow.resume(), 200);
    });
    const over = once(slow, 'close');
    await expect.poll(connections).toBe(silent.length + 1);
    await expect.poll(connections, { timeout: 90_000, interval: 500 }).toBe(1);
    expect(got).toBeLessThan(times * length);
    hurries = true;
    await over;
    expect(got).toBeGreaterThan(times * length);
    for (const socket of silent) socket.destroy();
  });

  test(
    'a module that stands still, near: the limit is taken in, the rest is refused at once',
    { timeout: 120_000 },
    flood,
  );

  test('the same far', { timeout: 120_000 }, async () => {
    await shop().started.extract('orders');
    await flood();
    await shop().started.restore('orders');
  });

  test('who trickles gets 408, and a body that came too late is not begun', {
    timeout: 120_000,
  }, async () => {
    const head =
      'POST /api/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n';
    const [slow, late] = await Promise.all([trickle(shop().url, head, 5000), trickle(shop().url, head, 17)]);
    expect(slow).toMatch(/^HTTP\/1.1 408 .*"code":"timeout"/s);
    expect(late).toMatch(/^HTTP\/1.1 503 .*was not begun/s);
  });

  test('a raw refusal says the same of itself as any answer', async () => {
    const got = await sendRaw(shop().url, 'NONSENSE\r\n\r\n', false);
    expect(got.status).toBe(400);
    expect(got.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  });
});

/** A connection with so many requests on their way, which ends after the last answer. */
function ask(url: string, path: string, times: number): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  const one = `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  socket.write(`${one.repeat(times - 1)}${one.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}`);
  return socket;
}

/** A body of which one byte comes a second, and all that is left after so many seconds. */
function trickle(url: string, head: string, seconds: number): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let sent = 0;
    let got = '';
    const socket = connect(Number(port), hostname, () => socket.write(`${head}{`));
    const timer = setInterval(() => {
      sent += 1;
      socket.write(sent < seconds ? ' ' : `${' '.repeat(5000 - 1 - sent)}}`);
    }, 1000);
    const end = () => {
      clearInterval(timer);
      socket.destroy();
      resolve(got);
    };
    socket.setEncoding('utf8').on('data', (part: string) => {
      got += part;
      if (got.includes('}')) end();
    });
    socket.on('error', () => {}).on('close', end);
  });
}
