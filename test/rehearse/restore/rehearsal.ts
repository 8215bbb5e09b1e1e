// A shop is put back to a point: orders, a backup while they come, orders, the point, orders that are to be lost, SIGKILL for all
// of it, the server made again up to the point, the shop on it. It says what differs from what was committed up to the
// point, row by row, and whether everything that was under way at that point came to its end. On Kafka the log is ahead then.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startBroker } from '../../../src/banyan/events/testing/broker.ts';
import type { Env } from '../../../stage/launch.ts';
import { folder, ownServer } from '../store/servers.ts';
import { Writers } from '../store/writers.ts';
import { ArchivedServer } from './archived-server.ts';
import { type Backup, baseBackup } from './base-backup.ts';
import { atRest, type Ended, ordersAt } from './ended.ts';
import { differing, makePoint, type Point, rowsIn, tablesOf } from './point.ts';
import { RestoreShop } from './stage.ts';

export interface RestoreOptions {
  /** In each of three parts: before the backup has ended, up to the point, after it. */
  readonly orders: number;
  readonly perSecond: number;
  readonly log: 'postgres' | 'kafka';
  /** What is put back: the one server with everything, or that of the store of orders alone. */
  readonly what?: 'all' | 'orders';
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface RestoreOutcome {
  readonly backup: { readonly files: number; readonly bytes: number; readonly seconds: number };
  /** Until the server that was made again took writes; until the shop on it was up. */
  readonly serverSeconds: number;
  readonly shopSeconds: number;
  readonly tables: number;
  readonly rows: number;
  /** Orders that customers were promised: up to the point, and after it. */
  readonly kept: number;
  readonly lost: number;
  /** What the start said of the log and the stores. */
  readonly said: readonly string[];
  readonly ended: Ended;
  readonly wrong: readonly string[];
}

const POINT = 'before-the-mistake';

export async function rehearseRestore(options: RestoreOptions): Promise<RestoreOutcome> {
  const ends: (() => Promise<unknown>)[] = [];
  try {
    return await played(options, ends);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function played(options: RestoreOptions, ends: (() => Promise<unknown>)[]): Promise<RestoreOutcome> {
  const { orders, perSecond, log, what = 'all', say, signal = new AbortController().signal } = options;
  say(`starting: PostgreSQL that archives, ${log === 'kafka' ? 'Kafka, ' : ''}a monolith`);
  const shop = new RestoreShop(log === 'kafka' ? await brokerIn(ends, say) : {});
  const first = await ArchivedServer.make();
  ends.push(() => first.remove());
  const shared = what === 'all' ? undefined : await ownServer();
  if (shared) ends.push(() => shared.stop());
  ends.push(() => shop.stop());
  const on = ({ url }: ArchivedServer): Env =>
    shared ? { DATABASE_URL: shared.url, STORE_BACK_URL: url, STORES: 'orders=back' } : { DATABASE_URL: url };
  await shop.startOn(on(first));
  await shop.fill(shared ?? first);

  const writers = new Writers(shop, { perSecond, plentyEach: 2 });
  writers.start();
  const until = async (count: number) => {
    while (writers.answered.length < count) {
      signal.throwIfAborted();
      if (writers.failed.length > 0) throw new Error(`An order failed: ${writers.failed[0]}`);
      await pause(20);
    }
  };
  await until(orders / 2);
  say('a backup, while orders come');
  const copied = folder();
  ends.push(async () => rmSync(copied, { recursive: true, force: true }));
  const begun = performance.now();
  const backup = await baseBackup(first, join(copied, 'backup'));
  const backupSeconds = (performance.now() - begun) / 1000;
  await until(writers.answered.length + orders);
  const point = await makePoint(first.url, POINT);
  say(`the point "${POINT}": ${rowsIn(point.tables)} rows, ${point.orders.size} orders`);
  await until(writers.answered.length + orders);
  await first.archived();
  say('SIGKILL, in the middle of orders');
  await Promise.all([shop.kill(), first.kill()]);
  await writers.stop();
  signal.throwIfAborted();

  const restored = await putBack({ first, backup, point, say }, ends);
  const there = await ordersAt(restored.server);
  const after = await shopAgain(shop, on(restored.server), say);
  const ended = await atRest(shop, { shared: shared ?? restored.server, orders: restored.server });
  const kept = writers.answered.filter(({ id }) => point.orders.has(id));
  return {
    backup: { files: backup.files, bytes: backup.bytes, seconds: backupSeconds },
    serverSeconds: restored.seconds,
    ...after,
    tables: Object.keys(point.tables).length,
    rows: rowsIn(point.tables),
    kept: kept.length,
    lost: writers.answered.length - kept.length,
    ended,
    wrong: [
      ...restored.wrong,
      ...promises(writers, point),
      ...sentences(options, ended, there, point),
      ...unsaid(options, after.said),
    ],
  };
}

async function brokerIn(ends: (() => Promise<unknown>)[], say: (line: string) => void) {
  const cacheDir = join(import.meta.dirname, '../../../node_modules/.cache/kafka');
  const broker = await startBroker({ cacheDir, say, hasty: true });
  ends.push(() => broker.stop());
  return { BROKER_URL: broker.url };
}

interface Given {
  readonly first: ArchivedServer;
  readonly backup: Backup;
  readonly point: Point;
  readonly say: (line: string) => void;
}

/** The server as it was at the point; nobody has touched it yet. */
async function putBack({ first, backup, point, say }: Given, ends: (() => Promise<unknown>)[]) {
  const begun = performance.now();
  const server = await ArchivedServer.again(backup, first, point.name);
  // After the shop on it.
  ends.unshift(() => server.remove());
  const seconds = (performance.now() - begun) / 1000;
  say(`made again up to the point in ${seconds.toFixed(1)} s; every row is compared`);
  return { server, seconds, wrong: differing(point.tables, await tablesOf(server.url)) };
}

async function shopAgain(shop: RestoreShop, databases: Env, say: (line: string) => void) {
  const begun = performance.now();
  await shop.startOn(databases);
  const shopSeconds = (performance.now() - begun) / 1000;
  say(`the shop is up on it in ${shopSeconds.toFixed(1)} s; waiting until every order is final`);
  const said = shop.output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { msg: string })
    .map(({ msg }) => msg)
    .filter((msg) => /timeline|log is ahead|took effect|had not taken|stores agree/.test(msg));
  return { shopSeconds, said };
}

/** What was answered before the point is in it, and what was asked after it is not. */
function promises({ answered }: Writers, { orders, from, until }: Point): string[] {
  const missing = answered.filter(({ id, ended }) => ended < from && !orders.has(id));
  const early = answered.filter(({ id, began }) => began > until && orders.has(id));
  return [
    ...(missing.length > 0
      ? [`${missing.length} orders were promised before the point and are not in it`]
      : []),
    ...(early.length > 0 ? [`${early.length} orders were asked for after the point and are in it`] : []),
    ...(answered.every(({ began }) => began < until) ? ['nothing was ordered after the point'] : []),
  ];
}

function sentences(
  { what }: RestoreOptions,
  ended: Ended,
  there: ReadonlySet<string>,
  { orders }: Point,
): string[] {
  const said = (n: number, words: string) => (n === 0 ? [] : [`${n} ${words}`]);
  const absent = [...orders].filter((id) => !there.has(id));
  const strange = [...there].filter((id) => !orders.has(id));
  return [
    ...said(absent.length, 'orders of the point are gone'),
    ...said(strange.length, 'orders are there that were not at the point'),
    ...said(ended.open, 'orders or events did not come to their end'),
    ...said(ended.lost, 'events are lost'),
    ...said(ended.doubled, 'events took effect twice'),
    ...said(ended.inverted, 'events took effect in another order'),
    ...said(ended.ahead, 'events of the log are still of no store'),
    // Where orders alone was put back catalog has sold what was lost.
    ...(what === 'orders' ? [] : said(ended.stockOff, 'pieces of stock are neither there nor sold')),
    ...said(ended.unpaid, 'orders are confirmed that nobody paid for'),
    ...(ended.goesOn ? [] : ['a new order did not come to its end']),
  ];
}

/** What the start has to say of it; and what it must not say of a log that was put back with the stores. */
function unsaid({ log, what }: RestoreOptions, said: readonly string[]): string[] {
  const has = (words: RegExp) => said.some((line) => words.test(line));
  const ahead = /log is ahead of orders/;
  const isAhead = log === 'kafka' || what === 'orders';
  const expected = [/timeline/, ...(isAhead ? [ahead] : [])];
  if (what === 'orders') expected.push(/took effect already: at .*catalog/);
  return [
    ...expected.filter((one) => !has(one)).map(({ source }) => `the start did not say: ${source}`),
    ...(!isAhead && has(/ahead|dropped|took effect/) ? ['the start says that the log is ahead'] : []),
  ];
}
