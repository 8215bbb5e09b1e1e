// More than a module can do, and clients that mean no good: what is refused, what goes on, who is cut off. The module
// stands still because its table is locked, so that the numbers do not depend on the machine.
import { randomUUID } from 'node:crypto';
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

  test('who never reads is cut off, who trickles gets 408, and a body that came too late is not begun', {
    timeout: 120_000,
  }, async () => {
    const open = await metric('banyan_connections{');
    const sockets: Socket[] = [];
    for (const path of ['/openapi.json', '/docs/static/swagger-ui-bundle.js']) {
      const { hostname, port } = new URL(shop().url);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.pause();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(200));
      sockets.push(socket);
    }
    await expect.poll(() => metric('banyan_connections{')).toBeGreaterThanOrEqual(open + 2);
    const head =
      'POST /api/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n';
    const [slow, late] = await Promise.all([
      trickle(shop().url, head, 5000),
      trickle(shop().url, head, 17),
      expect
        .poll(() => metric('banyan_connections{'), { timeout: 60_000, interval: 1000 })
        .toBeLessThanOrEqual(open + 2),
    ]);
    expect(slow).toMatch(/^HTTP\/1.1 408 .*"code":"timeout"/s);
    expect(late).toMatch(/^HTTP\/1.1 503 .*was not begun/s);
    for (const socket of sockets) socket.destroy();
  });

  test('a raw refusal says the same of itself as any answer', async () => {
    const got = await sendRaw(shop().url, 'NONSENSE\r\n\r\n', false);
    expect(got.status).toBe(400);
    expect(got.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  });
});

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
