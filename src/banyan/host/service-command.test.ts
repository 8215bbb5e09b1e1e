// What a service is told. As whom it speaks to the log: its module's own user where there is one, and nothing of anybody else's.
import { expect, test } from 'vitest';
import { serviceCommand } from './service-command.ts';

const own = 'kafka://till:one@a:9092';
const ofTheMonolith = 'kafka://all:two@a:9092';

function started(more: object, warned: string[] = []) {
  const settings = {
    app: { service: () => new URL('file:///product/main.ts') },
    inherited: {},
    own: {},
    dataDir: '/data',
    rateLimitExempt: [],
    drainDelayMs: 0,
    brokerUrl: ofTheMonolith,
    moduleBrokerUrls: {},
    strict: false,
    ...more,
  };
  return serviceCommand(
    settings as never,
    { sharedUrl: () => 'postgres://till@a/b' } as never,
    [],
    () => 'http://127.0.0.1:4000',
    () => ({}) as never,
    { warn: (...words: unknown[]) => void warned.push(String(words.at(-1))) } as never,
  );
}

test('it is given its own URL and no other', () => {
  const { env } = started({ moduleBrokerUrls: { till: own, shop: 'kafka://shop:three@a:9092' } })('till', 1);
  expect(Object.entries(env).filter(([, value]) => value?.startsWith('kafka'))).toEqual([
    ['BROKER_URL', own],
  ]);
});

test('without one it is given that of its monolith, and in production that is said once', () => {
  const warned: string[] = [];
  const command = started({}, warned);
  expect(command('till', 1).env.BROKER_URL).toBe(ofTheMonolith);
  command('till', 2);
  command('shop', 1);
  expect(warned).toEqual([expect.stringMatching(/^BROKER_URL_TILL is not set: .*with its rights/)]);

  started({ strict: true }, warned)('till', 1);
  expect(warned).toHaveLength(1);
});

test('where the log is in PostgreSQL it needs no user of its own, and nothing is said', () => {
  const warned: string[] = [];
  expect(started({ brokerUrl: undefined }, warned)('till', 1).env.BROKER_URL).not.toMatch(/^kafka/);
  expect(warned).toEqual([]);
});

test('it is told the settings of its own module alone: those of others may hold passwords', () => {
  const settings = {
    folder: { of: ['till'], variable: 'FOLDER', protocols: ['file:'], example: 'file:///x' },
    relay: { of: ['mail'], variable: 'RELAY_URL', protocols: ['smtp:'], example: 'smtp://u:p@h' },
  };
  const app = { service: () => new URL('file:///product/main.ts'), settings };
  const own = { folder: 'file:///data/till', relay: 'smtp://post:secret@mail.example' };
  const { env } = started({ app, own })('till', 1);
  expect(env.FOLDER).toBe('file:///data/till');
  expect(JSON.stringify(env)).not.toContain('secret');
});
