// A module's relay when the module's pool is held and switched: it follows to the other server, and what is published
// before, meanwhile and after arrives.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServer, type TestServer } from './testing/server.ts';
import { urlOf } from './testing/shop.ts';
import { openStand } from './testing/stand.ts';
import { until } from './testing/until.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
}, 60_000);
afterAll(() => server?.stop());

test('the relay follows its module to another server and back, and nothing is lost', async () => {
  const [here, there] = [await openStand(server.url), await openStand(server.url)];
  try {
    const complaints: string[] = [];
    const complain = (_fields: object, message: string) => complaints.push(message);
    const host = here.host({ log: { debug() {}, info() {}, warn: complain, error: complain } });
    const { pool } = host.shopStore;
    await host.start();
    let sold = 0;
    const sell = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () => {
          sold += 1;
          return host.sell({ orderId: `order-${sold}`, n: 1 });
        }),
      );
    const waiting = async (stand: typeof here) =>
      (await stand.query<{ n: number }>('SELECT count(*)::int AS n FROM shop.event_outbox'))[0]!.n;
    for (const [n, stand] of [there, here, there].entries()) {
      await sell(5);
      const flowing = sell(20);
      expect(await pool.hold()).toBe(true);
      const meanwhile = sell(5);
      await pool.switchTo(urlOf(stand.url, 'banyan_shop'));
      pool.release();
      await Promise.all([flowing, meanwhile]);
      await sell(5);
      expect(pool.epoch).toBe(n + 1);
      await until('what was published there is sent', async () => (await waiting(stand)) === 0);
    }
    // What was left at a server that the module had gone from is sent when it comes back.
    await pool.switchTo(urlOf(here.url, 'banyan_shop'));
    await until(
      'everything has arrived',
      async () => new Set((await here.effects()).map(({ key }) => key)).size === sold,
    );
    expect(await here.effects()).toHaveLength(sold);
    expect(await there.query('SELECT FROM shop.event_sent')).not.toHaveLength(0);
    // What was asked for is no trouble.
    expect(complaints).toEqual([]);
  } finally {
    await Promise.all([here.close(), there.close()]);
  }
}, 60_000);
