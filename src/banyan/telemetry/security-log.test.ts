// The security log: what a line says and never says, what a flood costs, and what a disk cannot do to it.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSecurityLog, type SecurityEvent } from './security-log.ts';
import { openSink } from './security-sink.ts';

const wrong = (address: string, target = 'GET /admin/placements'): SecurityEvent => ({
  event: 'token.bearer',
  outcome: 'refused',
  address,
  target,
});

let folder: string;
let file: string;
const said: string[] = [];
const log = {
  error: (_about: object, words: string) => said.push(words),
  info: (_about: object, words: string) => said.push(words),
} as unknown as Parameters<typeof openSink>[1];
const lines = (path = file) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-security-'));
  file = join(folder, 'made', 'security.jsonl');
  said.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

test('every event is counted, also those that a flood leaves out of the file', () => {
  const counted = new Map<string, number>();
  const count = ({ event = '', outcome = '' }: Readonly<Record<string, string>> = {}) => {
    const kind = `${event} ${outcome}`;
    counted.set(kind, (counted.get(kind) ?? 0) + 1);
  };
  const security = createSecurityLog({ host: 'monolith', sink: openSink(file, log), count });
  for (let at = 0; at < 500; at += 1) security.write(wrong('192.0.2.1'));
  expect(counted).toEqual(new Map([['token.bearer refused', 500]]));
  expect(lines().length).toBeLessThan(100);
  security.close();
});

test('a line says when, who, from where, in which trace, what it was and is; nobody else can read it', () => {
  const security = createSecurityLog({ host: 'monolith', sink: openSink(file, log) });
  expect(existsSync(file)).toBe(false);
  security.write({
    event: 'admin.admin.place',
    outcome: 'ok',
    actor: { kind: 'operator', name: 'ada' },
    address: '192.0.2.1',
    trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    before: { placement: 'in-process' },
    after: { placement: 'service' },
  });
  expect(lines()).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      log: 'security',
      host: 'monolith',
      event: 'admin.admin.place',
      outcome: 'ok',
      actor: { kind: 'operator', name: 'ada' },
      address: '192.0.2.1',
      trace: '0af7651916cd43dd8448eb211c80319c',
      before: { placement: 'in-process' },
      after: { placement: 'service' },
    },
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('what looks like a secret is replaced, by its name or by its form', () => {
  const security = createSecurityLog({ host: 'monolith', sink: openSink(file, log) });
  const jwt = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
  const secrets = [
    jwt,
    `bop_${'a'.repeat(43)}`,
    'hunter2hunter2',
    'postgres-password',
    '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----',
    'RkZGRkZGRkZGRkZGRkZGRg',
  ];
  security.write({
    event: 'a.test',
    outcome: 'ok',
    reason: `Bearer ${jwt} and ${secrets[1]} at postgres://banyan:postgres-password@db/banyan`,
    after: {
      password: secrets[2],
      nested: [{ newPassword: secrets[2], serviceKey: secrets[2], adminToken: secrets[2] }],
      jwk: { kty: 'OKP', d: secrets[5] },
      pem: secrets[4],
    },
  });
  const text = readFileSync(file, 'utf8');
  for (const secret of secrets) expect(text).not.toContain(secret.slice(0, 60));
  expect(text).not.toContain('MC4CAQAwBQYDK2Vw');
  expect(text).toContain('postgres://banyan:[secret]@db/banyan');
});

test('what cannot be written as JSON, or has no end, is no reason to throw', () => {
  const security = createSecurityLog({ host: 'monolith', sink: openSink(file, log) });
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  security.write({ event: 'a.circle', outcome: 'ok', after: circle });
  security.write({ event: 'a.number', outcome: 'ok', after: 1n });
  security.write({ event: 'a.text', outcome: 'ok', reason: 'x'.repeat(100_000) });
  expect(lines().map(({ event }) => event)).toEqual(['a.circle', 'a.number', 'a.text']);
  expect(statSync(file).size).toBeLessThan(5_000);
});

describe('a flood', () => {
  test('of one address is counted, and the count is said when the minute is over', () => {
    vi.useFakeTimers();
    const security = createSecurityLog({ host: 'monolith', sink: openSink(file, log) });
    for (let n = 0; n < 10_000; n += 1) security.write(wrong('192.0.2.1'));
    security.write(wrong('192.0.2.2'));
    expect(lines()).toHaveLength(21);
    expect(lines().at(-1)).toMatchObject({ address: '192.0.2.2' });
    vi.advanceTimersByTime(60_000);
    expect(lines()).toHaveLength(22);
    expect(lines().at(-1)).toMatchObject({ address: '192.0.2.1', leftOut: 9_980 });
    security.write(wrong('192.0.2.1'));
    expect(lines()).toHaveLength(23);
  });

  test('of any number of addresses costs a bounded number of lines; what an operator does is always there', () => {
    vi.useFakeTimers();
    const security = createSecurityLog({ host: 'monolith', sink: openSink(file, log) });
    for (let n = 0; n < 20_000; n += 1) security.write(wrong(`2001:db8::${n.toString(16)}`, `GET /${n % 7}`));
    for (let n = 0; n < 100; n += 1)
      security.write({ event: 'admin.a.b', outcome: 'ok', actor: { kind: 'operator', name: 'ada' } });
    vi.advanceTimersByTime(60_000);
    const all = lines();
    expect(all.length).toBeLessThan(500);
    expect(all.filter(({ event }) => event === 'admin.a.b')).toHaveLength(100);
    const told = all.reduce(
      (sum, { leftOut = 1, event }) => sum + (event === 'token.bearer' ? Number(leftOut) : 0),
      0,
    );
    expect(told).toBe(20_000);
  });

  test('what was left out is said at the end of the host, too', () => {
    const security = createSecurityLog({ host: 'monolith', sink: openSink(file, log) });
    for (let n = 0; n < 30; n += 1) security.write(wrong('192.0.2.1'));
    security.close();
    expect(lines().at(-1)).toMatchObject({ leftOut: 10 });
  });
});

test('a file is turned over, and four before it are kept', () => {
  const sink = openSink(file, log, { maxBytes: 100 });
  for (let n = 0; n < 20; n += 1) sink.write(`${JSON.stringify({ n, fill: 'x'.repeat(50) })}\n`);
  const numbers = ['', '.1', '.2', '.3', '.4'].flatMap((end) => lines(`${file}${end}`).map(({ n }) => n));
  expect(numbers).toEqual([18, 19, 16, 17, 14, 15, 12, 13, 10, 11]);
  expect(existsSync(`${file}.5`)).toBe(false);
});

describe('a disk', () => {
  test('that is full stops nobody, and it is said once', () => {
    const full = createSecurityLog({ host: 'monolith', sink: openSink('/dev/full', log) });
    for (let n = 0; n < 5; n += 1) full.write({ event: 'a.test', outcome: 'ok', target: String(n) });
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/cannot be written.*SECURITY_LOG/);
  });

  test('on which no file can be made sends the lines elsewhere, and says so once', () => {
    // A file where a folder should be.
    writeFileSync(join(folder, 'taken'), '');
    const elsewhere: string[] = [];
    const otherwise = { write: (line: string) => void elsewhere.push(line), close() {} };
    const sink = openSink(join(folder, 'taken', 'security.jsonl'), log, { otherwise });
    sink.write('one\n');
    sink.write('two\n');
    expect(elsewhere).toEqual(['one\n', 'two\n']);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/goes to stderr/);
  });
});
