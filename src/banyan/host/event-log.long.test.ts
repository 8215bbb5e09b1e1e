// Which logs a service has: one for each module that it runs, each as that module; or, told a URL as the version before was,
// the log's own role for all, and a warning.
import type { Logger } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Settings } from '../config/settings.ts';
import { openDatabase, openServer, type TestServer } from '../events/testing/server.ts';
import { provisionShop, quiet, urlOf } from '../events/testing/shop.ts';
import { until } from '../events/testing/until.ts';
import { LogRefused } from '../log/port.ts';
import { createPostgresLog } from '../log/postgres.ts';
import type { Database } from './database.ts';
import { openEventLogs } from './event-log.ts';
import { Undo } from './undo.ts';

const record = { key: 'a', headers: { ce_id: 'x' }, value: '1' };
const warnings: string[] = [];
const log = { ...quiet, warn: (text: string) => warnings.push(text) } as unknown as Logger;
const service = {
  role: 'service',
  hostId: 'shop-1',
  modules: ['shop', 'till'],
  moduleBrokerUrls: {},
  brokerUrl: 'postgres',
} as unknown as Settings;

let server: TestServer;
let url: string;
let undo: Undo;

beforeAll(async () => {
  server = await openServer();
  url = (await openDatabase(server.url)).url;
  await provisionShop(url);
  const whole = createPostgresLog({ url: urlOf(url, 'banyan_log'), log: quiet });
  await whole.allow!([
    { module: 'shop', topic: 'shop.events', reads: [] },
    { module: 'till', topic: 'till.events', reads: ['shop.events'] },
  ]);
  await whole.close();
  undo = new Undo(log);
});
afterAll(async () => {
  await undo.all(performance.now() + 5_000);
  await server.stop();
});

const database = (logUrl?: string) =>
  ({ logUrl, sharedUrl: (module: string) => urlOf(url, `banyan_${module}` as 'banyan_shop') }) as Database;

test('a service of two modules speaks to the log as each of them, and they hear one another', async () => {
  const logOf = await openEventLogs(service, database(), log, undo);
  const seen: unknown[] = [];
  const subscription = await logOf('till').subscribe({
    group: 'till',
    topics: ['shop.events'],
    onBatch: async ({ records }) => void seen.push(...records),
  });
  await logOf('shop').append('shop.events', [record]);
  await until('it is heard', () => seen.length === 1);
  await expect(logOf('till').append('shop.events', [record])).rejects.toThrow(LogRefused);
  await expect(logOf('shop').append('till.events', [record])).rejects.toThrow('may not');
  expect(() => logOf()).toThrow('no log for work on all topics');
  await subscription.close();
  expect(warnings).toEqual([]);
});

test('one that is told the URL of the log, as the version before was, works and is warned', async () => {
  const logOf = await openEventLogs(service, database(urlOf(url, 'banyan_log')), log, undo);
  expect(logOf('till')).toBe(logOf('shop'));
  await logOf('till').append('till.events', [record]);
  expect(warnings.join()).toContain('Set BROKER_URL=postgres');
});
