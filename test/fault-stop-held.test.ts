// A stop ends, whoever holds on: clients that read or send without end, services and databases that stand still, mail
// servers, brokers and collectors that take a connection and say nothing. Requests that come in meanwhile are answered,
// and told that their connection ends.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test as plain } from 'vitest';
import { Held, isInitdb } from './fault-held.ts';
import { ended } from './fault-own.ts';
import { place, scale } from './flip-modules.ts';
import { eventually, type Shop } from './shop.ts';

/** DRAIN_MS and the two seconds after it; what a loaded machine adds is its own. */
const BOUND_MS = 22_000;

/** A start has no clients that need time; a second more as above. */
const START_BOUND_MS = 14_000;

// Nearly all of the time is waiting for a bound: a few wait at once, each for a Banyan of its own.
const test = plain.extend<{ held: Held }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures this one needs
  held: async ({}, use) => {
    const held = new Held();
    await use(held);
    held.leave();
  },
}).concurrent;

let before: Promise<unknown> = Promise.resolve();

/** Beginnings come one after another: they alone keep the machine busy, and some have to meet a moment. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = before.then(work);
  before = mine.catch(() => {});
  return mine;
}

const get = 'GET /api/catalog/products?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n';

const extract = async (shop: Shop, module: string) => {
  expect((await scale(shop, module, 1)).status).toBe(200);
  expect((await place(shop, module, 'service')).status).toBe(200);
};

test('requests under way and on kept connections are answered, with Connection: close', {
  timeout: 90_000,
}, async ({ held }) => {
  const own = held.banyan({ DRAIN_DELAY_MS: '1500' });
  const { child, shop } = await inTurn(() => own.start());
  const idle = await held.open(shop.url);
  idle.write(get);
  await once(idle, 'data');
  const kept = await held.open(shop.url);
  kept.write(get);
  expect(String((await once(kept, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: keep-alive/i);
  // Its body comes once the host was told to stop.
  const under = await held.open(shop.url);
  const body = JSON.stringify({ email: 'nobody@banyan.example', password: 'not the password' });
  const head = ['POST /api/users/sessions HTTP/1.1', 'Host: x', 'Content-Type: application/json'];
  under.write(`${[...head, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n`);
  const refused = await held.open(shop.url);
  const exit = ended(child);
  const took = held.stopped(child, exit);
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
}, async ({ held }) => {
  const [mail, collector] = [await held.silentServer(), await held.silentServer()];
  const own = held.banyan({
    SMTP_URL: `smtp://127.0.0.1:${mail}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector}`,
  });
  const { child, shop } = await inTurn(() => own.start());
  const customer = await shop.customer();
  const product = await shop.product();
  await shop.order(customer, [{ productId: product.id, quantity: 1 }]);
  await extract(shop, 'media');
  await held.holdOn(shop.url);
  // A peer that stands still on the internal port: it has a request there, and reads nothing.
  const internal = /INTERNAL_PORT is open at (http:\S+?)"/.exec(own.output())![1]!;
  await held.holdOn(internal);
  // A tail that waits: told to stop, it answers with what it has.
  const tail = fetch(`${shop.url}/admin/events/tail?topic=orders.events&waitMs=20000`, {
    headers: { authorization: `Bearer ${shop.adminToken}` },
  });
  const [media] = [...own.processes()].find(([, words]) => words.includes('extracted/media'))!;
  process.kill(media, 'SIGSTOP');
  const exit = ended(child);
  const took = held.stopped(child, exit);
  const again = setInterval(() => child.kill('SIGTERM'), 1000);
  expect(await took).toBeLessThan(BOUND_MS);
  clearInterval(again);
  expect((await tail).status).toBe(200);
  await eventually(() => expect(own.processes()).toEqual(new Map()));
  expect(own.leftovers()).toEqual([]);
});

test('a database that stands still is ended all the same', { timeout: 120_000 }, async ({ held }) => {
  const own = held.banyan();
  const { child, frozen } = await inTurn(async () => ({ ...(await own.start()), frozen: held.freeze() }));
  expect(await held.stopped(child, ended(child))).toBeLessThan(BOUND_MS);
  await held.gone(frozen);
  // And the next start recovers what was cut off.
  const second = await inTurn(() => own.start());
  expect((await second.shop.call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
  expect(await held.stopped(second.child, ended(second.child))).toBeLessThan(BOUND_MS);
});

const after = ({ own, server }: Held, words: string) =>
  own.output().includes(words) ? server?.pid : undefined;

/** How far a start has come: from then on it answers the process to freeze. */
const moments: Record<string, (held: Held) => number | undefined | Promise<number | undefined>> = {
  "its server's folder is being made": (held) =>
    held.own.leftovers().some((name) => /data\.\d+\/postmaster\.pid$/.test(name))
      ? held.find(isInitdb)
      : undefined,
  'its server has just begun': (held) => held.server?.pid,
  'its server has the first schema': async (held) =>
    (await held.hasSchema('banyan_control')) ? held.server?.pid : undefined,
  'its server has every schema': (held) => after(held, 'the database is ready'),
  'its internal port is open': (held) => after(held, 'INTERNAL_PORT is open'),
};

test.for(Object.keys(moments))(
  'a start whose database stands still: %s',
  { timeout: 120_000 },
  async (moment, { held }) => {
    const own = held.banyan();
    const { child, exit, frozen } = await inTurn(async () => {
      const child = own.spawn();
      const exit = ended(child);
      for (;;) {
        const pid = await moments[moment]!(held);
        if (pid) return { child, exit, frozen: held.freeze(pid) };
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    });
    expect(existsSync(join(own.dataDir, 'instance.json'))).toBe(false);
    expect(await held.stopped(child, exit)).toBeLessThan(START_BOUND_MS);
    await held.gone(frozen);
    expect(own.leftovers().filter((name) => name.includes('instance'))).toEqual([]);
  },
);

test('a start that waits for the database of another host is ended, and leaves it alone', {
  timeout: 120_000,
}, async ({ held }) => {
  const own = held.banyan();
  const { first, frozen, second, exit } = await inTurn(async () => {
    const first = await own.start();
    const frozen = held.freeze();
    const second = own.spawn();
    const exit = ended(second);
    await eventually(() => expect(own.output()).toContain('waiting for the embedded PostgreSQL'), 30_000);
    return { first, frozen, second, exit };
  });
  expect(await held.stopped(second, exit)).toBeLessThan(START_BOUND_MS);
  for (const pid of frozen) process.kill(pid, 'SIGCONT');
  expect(held.find()).toBe(frozen[0]);
  await eventually(async () => {
    expect((await first.shop.call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
  }, 20_000);
  expect(await held.stopped(first.child, ended(first.child))).toBeLessThan(BOUND_MS);
  await held.gone(frozen);
});

test('a broker that says nothing', { timeout: 120_000 }, async ({ held }) => {
  const own = held.banyan({ BROKER_URL: `kafka://127.0.0.1:${await held.silentServer()}` });
  const { child, shop } = await inTurn(() => own.start());
  expect((await shop.call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
  expect(await held.stopped(child, ended(child))).toBeLessThan(BOUND_MS);
  expect(own.processes()).toEqual(new Map());
});
