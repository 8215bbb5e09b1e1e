// Stores that are put back to an earlier moment while the log of events keeps what came later: what both logs are tried with. The
// backup is a copy of the database that the stores are in, at a moment when events are on their way. One test goes on from the
// other: what it wrote to the log stays there.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventLog } from '../../log/port.ts';
import { verify } from '../operations/verify.ts';
import { compare } from '../restored/compare.ts';
import { shop, urlOf } from './shop.ts';
import { byKey, type Effect, openStand, type Stand, type TestHost } from './stand.ts';
import { until } from './until.ts';

/** What is in the backup, what till had not taken then, and what was committed later. */
const BEFORE = { a: [1, 2, 3], b: [1] };
const ON_ITS_WAY = { c: [1, 2] };
const AFTER = { a: [4, 5], d: [1, 2] };

/** @param makeLog a log of its own at each call, in which those of one database meet. */
export function triedPutBack(serverUrl: () => string, makeLog: (databaseUrl: string) => EventLog): void {
  let stand: Stand;
  let copy: Copy;
  let host: TestHost;
  let logOf: () => EventLog;

  beforeAll(async () => {
    stand = await openStand(serverUrl());
    logOf = () => makeLog(stand.url);
    host = stand.host({ eventLog: logOf() });
    await host.start();
    await until(
      'till listens',
      async () => (await stand.query('SELECT FROM till.event_listener')).length === 1,
    );
    await sold(host, BEFORE);
    await handled(4);
    await host.till.consumers.stop();
    await sold(host, ON_ITS_WAY);
    await until('both are sent', async () => (await host.shop.stats()).outbox.waiting === 0);
    await host.close();
    copy = await copyOf(stand.url);
    host = stand.host({ eventLog: logOf() });
    await host.start();
    await sold(host, AFTER);
    await host.shopStore.transaction((tx) => tx.publish(shop.events.seen, { orderId: 'a' }));
    await handled(10);
    await host.close();
  }, 120_000);
  afterAll(async () => {
    await stand?.close();
    await copy?.drop();
  });

  /** Everything of the database as it is now: its effects are all there, and nothing is on its way. */
  async function handled(effects: number): Promise<void> {
    await until('all effects', async () => (await stand.effects()).length === effects, 30_000);
    await until('nothing is on its way', async () => {
      const [sent, taken] = await Promise.all([host.shop.stats(), host.till.stats()]);
      return (
        sent.outbox.waiting + taken.outbox.waiting === 0 && taken.lag!.every(({ events }) => events === 0)
      );
    });
  }

  /** A host whose stores were put back: shop's alone, or both. */
  async function putBack(
    which: 'both' | 'shop',
  ): Promise<{ url: string; host: TestHost; close(): Promise<void> }> {
    const back = await copyOf(copy.url);
    const one = stand.host({ eventLog: logOf() });
    await one.shopStore.pool.switchTo(urlOf(back.url, 'banyan_shop'));
    if (which === 'both') await one.tillStore.pool.switchTo(urlOf(back.url, 'banyan_till'));
    return {
      url: back.url,
      host: one,
      async close() {
        await one.close();
        await back.drop();
      },
    };
  }

  const partsOf = ({ shop, till }: TestHost) => [shop.parts, till.parts] as const;
  const checked = async (one: TestHost) => {
    const span = { from: new Date(Date.now() - 3_600_000), until: new Date() };
    const { topics } = await verify(partsOf(one), one.eventLog, span);
    return topics.find(({ topic }) => topic === 'shop.events')!;
  };
  const clean = { lost: 0, doubled: 0, inverted: 0, foreign: 0, ahead: 0, aheadFrom: null };

  test('verification says how far the log is ahead, from where, and what the inboxes lack', async () => {
    const back = await putBack('both');
    try {
      const found = await checked(back.host);
      expect(found).toMatchObject({ ahead: 5, lost: 0 });
      expect(found.aheadFrom).toMatchObject({
        offset: expect.stringMatching(/^\d+$/),
        at: expect.any(String),
      });
      // What was on its way at the backup: nobody would give it to till again.
      expect(found.consumers[0]!.lost).toBeGreaterThanOrEqual(2);
    } finally {
      await back.close();
    }
  });

  test('the publisher alone put back: what took effect is named, and the next of a key is not taken for it', async () => {
    const back = await putBack('shop');
    try {
      const [report] = await compare(partsOf(back.host), back.host.eventLog);
      expect(report).toMatchObject({ module: 'shop', ahead: 5 });
      expect(report!.consumers).toEqual([{ module: 'till', dropped: 0, tookEffect: 4, again: 0 }]);
      await back.host.start();
      const before = (await stand.effects()).length;
      await sold(back.host, { a: [60] });
      await until('it took effect', async () => (await stand.effects()).length === before + 1, 30_000);
      expect(await checked(back.host)).toMatchObject(clean);
    } finally {
      await back.close();
    }
  });

  test('both put back: what lost its transaction has no effect, what was on its way has, and numbers go on', async () => {
    const back = await putBack('both');
    try {
      const [report, own] = await compare(partsOf(back.host), back.host.eventLog);
      expect(report).toMatchObject({
        module: 'shop',
        ahead: 6,
        first: { key: expect.stringMatching(/^[ad]$/) },
      });
      expect(report!.consumers).toEqual([{ module: 'till', dropped: 5, tookEffect: 0, again: 2 }]);
      // What till published in turn, of what was on its way, too: it will do so once more, by another number.
      expect(own).toMatchObject({ module: 'till', ahead: 7, consumers: [] });
      for (const { ahead, consumers } of await compare(partsOf(back.host), back.host.eventLog)) {
        expect(ahead).toBe(0);
        expect(consumers.every(({ dropped, again }) => dropped + again === 0)).toBe(true);
      }
      await back.host.start();
      await sold(back.host, { a: [6], d: [3], e: [1] });
      await until('all of it', async () => (await effectsAt(back.url)).length === 9, 30_000);
      const expected = { ...BEFORE, ...ON_ITS_WAY, a: [...BEFORE.a, 6], d: [3], e: [1] };
      expect(byKey(await effectsAt(back.url))).toEqual(expected);
      const found = await checked(back.host);
      expect(found).toMatchObject(clean);
      expect(found.consumers).toMatchObject([{ done: 9, dropped: 5, dead: 0, open: 0, lost: 0 }]);
    } finally {
      await back.close();
    }
  });

  test('where nobody compared them the next event of such a key is a dead letter, never lost in silence', async () => {
    const back = await putBack('shop');
    try {
      await back.host.start();
      const dead = async () => (await back.host.till.stats()).deliveries.dead;
      expect(await dead()).toBe(0);
      await sold(back.host, { d: [100] });
      await until('a dead letter', async () => (await dead()) === 1, 30_000);
    } finally {
      await back.close();
    }
  });
}

/** Each in a transaction of its own. */
async function sold(host: TestHost, events: Readonly<Record<string, readonly number[]>>): Promise<void> {
  for (const [orderId, numbers] of Object.entries(events))
    for (const n of numbers) await host.sell({ orderId, n });
}

interface Copy {
  readonly url: string;
  drop(): Promise<void>;
}

/** The database as it is now, under another name: nobody is connected to it any more. */
async function copyOf(databaseUrl: string): Promise<Copy> {
  const name = `copy_${randomUUID().slice(0, 8)}`;
  const [own, url] = [new URL(databaseUrl).pathname.slice(1), new URL(databaseUrl)];
  await onServer(databaseUrl, async (client) => {
    await client.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1', [
      own,
    ]);
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${own}`);
  });
  url.pathname = `/${name}`;
  const drop = () =>
    onServer(databaseUrl, async (client) => void (await client.query(`DROP DATABASE ${name} WITH (FORCE)`)));
  return { url: url.href, drop };
}

async function onServer<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const url = new URL(databaseUrl);
  url.pathname = '/postgres';
  return on(url.href, work);
}

async function on<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return work(client).finally(() => client.end());
}

function effectsAt(url: string): Promise<Effect[]> {
  return on(url, async (client) => {
    const { rows } = await client.query<{ id: string; key: string; n: string }>(
      'SELECT id, key, n FROM till.effect ORDER BY position',
    );
    return rows.map((row) => ({ ...row, n: Number(row.n) }));
  });
}
