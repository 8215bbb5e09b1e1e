// kafkajs is reached into in one file, and a host says at its start when the kafkajs that is there is another one.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createClient } from './client.ts';
import { checkInside } from './internals.ts';

const load = createRequire(import.meta.url);
const instead = (id: string, answer: () => unknown) => (asked: string) =>
  asked === id ? answer() : load(asked);

test('the kafkajs that is installed is known inside', () => {
  expect(() => checkInside()).not.toThrow();
});

test('another version is told at the start, with the remedy', () => {
  const other = instead('kafkajs/package.json', () => ({ version: '2.3.0' }));
  expect(() => checkInside(other)).toThrow(/^kafkajs 2\.3\.0 is installed\..*2\.2\.4.*`npm ci`/s);
});

test.each([
  [
    'is gone',
    () => {
      throw new Error('Cannot find module');
    },
  ],
  ['is another thing', () => ({})],
])('a file that %s is named', (_, answer) => {
  const other = instead('kafkajs/src/protocol/recordBatch/v0/decoder', answer);
  expect(() => checkInside(other)).toThrow(/without its protocol\/recordBatch\/v0\/decoder.*`npm ci`/s);
});

test('a client is made only after the check', () => {
  const manifest = load('kafkajs/package.json') as { version: string };
  const { version } = manifest;
  manifest.version = '9.9.9';
  try {
    const quiet = { debug() {}, info() {}, warn() {}, error() {} };
    expect(() => createClient('kafka://localhost:9092', 'x', quiet)).toThrow('kafkajs 9.9.9 is installed');
  } finally {
    manifest.version = version;
  }
});

test('nobody else reaches into it', () => {
  const folder = join(import.meta.dirname, '../..');
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .filter((name) => /kafkajs\/src/.test(readFileSync(join(folder, name), 'utf8')));
  expect(found).toEqual([join('log', 'kafka', 'internals.ts')]);
});
