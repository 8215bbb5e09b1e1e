// The log of a service: appended to across restarts, turned over at 10 MB, and asked for its last words.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lastWords, logPath, openLog, turnOver } from './log-file.ts';

let dataDir: string;
let path: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'banyan-log-'));
  path = logPath(dataDir, 'orders-1');
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

test('is readable by its owner alone, and is appended to', () => {
  writeSync(openLog(dataDir, 'orders-1'), 'one\n');
  writeSync(openLog(dataDir, 'orders-1'), 'two\n');
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('is turned over at 10 MB while a process writes on, and keeps one before it', () => {
  const open = openLog(dataDir, 'orders-1');
  turnOver(dataDir, 'orders-1');
  expect(existsSync(`${path}.1`)).toBe(false);
  writeSync(open, 'x'.repeat(10 * 1024 * 1024));
  turnOver(dataDir, 'orders-1');
  writeSync(open, 'after\n');
  expect(readFileSync(path, 'utf8')).toBe('after\n');
  expect(statSync(`${path}.1`).size).toBe(10 * 1024 * 1024);
});

test('says last what a process said last', () => {
  const said = () => lastWords(dataDir, 'orders-1', true);
  expect(said()).toBeUndefined();
  openLog(dataDir, 'orders-1');
  writeFileSync(path, `${'x'.repeat(9000)}\nDATABASE_URL_ORDERS is not set\n\n`);
  expect(said()).toBe('DATABASE_URL_ORDERS is not set');
  writeFileSync(path, '{"level":60,"msg":"cannot start","err":{"message":"no such host"}}\n');
  expect(said()).toBe('cannot start: no such host');
});

test('of one that had worked only what is of its end', () => {
  const said = () => lastWords(dataDir, 'orders-1', false);
  openLog(dataDir, 'orders-1');
  writeFileSync(path, '{"level":50,"msg":"an event was not handled","err":{"message":"dead letter"}}\n');
  expect(said()).toBeUndefined();
  expect(lastWords(dataDir, 'orders-1', true)).toBe('an event was not handled: dead letter');
  writeFileSync(path, '{"level":60,"msg":"an error that nobody handled","err":{"message":"no memory"}}\n');
  expect(said()).toBe('an error that nobody handled: no memory');
  writeFileSync(path, 'FATAL ERROR: JavaScript heap out of memory\n');
  expect(said()).toBe('FATAL ERROR: JavaScript heap out of memory');
});
