// What is found of hosts: their clocks, keys, probes, versions, and what they stand on.
import { expect, test } from 'vitest';
import type { Key } from '../placement/key-contract.ts';
import type { OperatorRow } from '../placement/operators.ts';
import type { HostRow } from '../placement/tables.ts';
import { SPOKEN } from '../placement/words.ts';
import { type About, readAbout } from './about.ts';
import type { HostSeen } from './asking.ts';
import { aheadOf, clockOf, readClock } from './clocks.ts';
import type { Finding } from './finding.ts';
import { keysOf, operatorsOf } from './keys.ts';
import { probeOf } from './probes.ts';
import { filesOf, noticesOf, secretsOf, telemetryOf } from './surroundings.ts';
import { isTemporary } from './temporary.ts';
import { versionsOf } from './versions.ts';

const now = Date.parse('2026-11-29T12:00:00Z');
const before = (ms: number) => new Date(now - ms).toISOString();
const DAY = 86_400_000;

const row = (own: Partial<HostRow> = {}): HostRow =>
  ({
    ...{
      host: 'uuid-1',
      id: 'parcels-1',
      role: 'service',
      modules: ['parcels'],
      url: 'http://h:1',
      doors: ['ws', 'http'],
    },
    ...{
      live: true,
      ready: true,
      draining: false,
      retiring: false,
      held: {},
      kid: 'k1',
      speaks: SPOKEN,
      differences: [],
    },
    ...own,
  }) as HostRow;
const about = (own: Partial<About> = {}): About => ({
  ...{
    version: '1.0.0',
    node: '24.1.0',
    now,
    production: false,
    temporary: false,
    keeps: false,
    madeHere: [],
  },
  ...{ legacy: false, schemas: { parcels: '0001' }, otlp: null, notices: null },
  ...own,
});
const seen = (own: Partial<HostSeen> = {}): HostSeen => ({
  row: row(),
  live: { answer: { status: 200, ms: 3 } },
  ready: { answer: { status: 200, words: 'ready' } },
  about: { answer: about() },
  ...own,
});
const said = (...findings: readonly Finding[]) => findings.map(({ level, found }) => `${level}: ${found}`);

test('a clock counts by what is sure of it, and is said before hosts refuse each other', () => {
  const at = (aheadMs: number, doubtMs = 10) => said(clockOf('parcels-1', { aheadMs, doubtMs }))[0];
  expect(at(4_000)).toMatch(/^ok/);
  expect(at(7_000, 3_000)).toMatch(/^ok/);
  expect(at(-12_000)).toBe('warning: its clock is 12 s behind that of the control store');
  expect(at(75_000)).toMatch(/^error: its clock is 75 s ahead of .* from 90 s on/);
  expect(aheadOf({ aheadMs: 5, doubtMs: 1 }, { aheadMs: -5, doubtMs: 2 })).toEqual({
    aheadMs: 10,
    doubtMs: 3,
  });
});

test('a clock is read in the middle of the way there and back', async () => {
  const { aheadMs, doubtMs } = await readClock(async () => Date.now() + 60_000);
  expect(Math.abs(aheadMs - 60_000)).toBeLessThanOrEqual(doubtMs + 1);
});

const key = (own: Partial<Key>): Key => ({
  ...{ kid: 'k1', purpose: 'internal' as const, name: 'parcels', modules: ['parcels'], issued: false },
  ...{ madeAt: before(2 * DAY), signsFrom: before(2 * DAY), retiredAt: null },
  ...own,
});

test('keys: unknown, replaced and still spoken by, announced and never used, of the version before', () => {
  expect(said(...keysOf([row()], [key({})], now))).toEqual([expect.stringMatching(/^ok/)]);
  expect(said(...keysOf([row({ kid: 'gone' })], [key({})], now))[0]).toMatch(
    /^error: speaks by a key that is not known/,
  );
  expect(said(...keysOf([row()], [key({ retiredAt: before(5_000) })], now))[0]).toMatch(/^ok/);
  expect(said(...keysOf([row()], [key({ retiredAt: before(DAY) })], now))[0]).toMatch(
    /^warning: still speaks/,
  );
  expect(said(...keysOf([row({ kid: null })], [key({})], now))[0]).toMatch(
    /^warning: speaks by INTERNAL_KEY/,
  );
  const announced = key({ kid: 'k2', purpose: 'seal', signsFrom: null });
  const [found] = keysOf([], [announced], now);
  expect(found).toMatchObject({
    level: 'warning',
    subject: 'parcels',
    remedy: expect.stringContaining('keys rotate seal'),
  });
  expect(said(...keysOf([], [key({ signsFrom: null, madeAt: before(1_000) })], now))[0]).toMatch(/^ok/);
});

test('a token that is older than a year, of who still has one', () => {
  const operator = (own: Partial<OperatorRow>): OperatorRow => ({
    ...{
      name: 'ada',
      scopes: ['read', 'place'],
      madeAt: before(400 * DAY),
      madeBy: 'operator',
      revokedAt: null,
      revokedBy: null,
    },
    ...own,
  });
  expect(operatorsOf([operator({})], now)[0]).toMatchObject({
    level: 'warning',
    found: expect.stringContaining('400 days'),
    remedy: 'npx banyan operators revoke ada && npx banyan operators add ada --scope read place',
  });
  for (const one of [
    operator({ revokedAt: before(1) }),
    operator({ name: 'operator' }),
    operator({ madeAt: before(DAY) }),
  ])
    expect(operatorsOf([one], now)).toMatchObject([{ level: 'ok' }]);
});

test('probes: silent, not ready, held out, starting, on its way out, in another language', () => {
  const of = (own: Partial<HostSeen>, others: HostRow[] = []) => said(probeOf(seen(own), others))[0];
  expect(of({})).toBe('ok: answers within 3 ms, and is ready');
  expect(of({ live: { why: 'no answer within 2000 ms' } })).toBe(
    'error: does not answer at http://h:1: no answer within 2000 ms',
  );
  const away = { answer: { status: 503, words: 'unavailable, the store of parcels: unreachable' } };
  expect(of({ ready: away })).toMatch(/^error: answers 503 .*the store of parcels: unreachable/);
  expect(of({ ready: { answer: { status: 503, words: 'starting' } } })).toMatch(/^warning/);
  expect(of({ ready: away, row: row({ draining: true }) })).toMatch(/^ok: lives, and is on its way out/);
  expect(
    of({ live: { answer: { status: 401, ms: 1 } }, ready: { answer: { status: 404, words: '' } } }),
  ).toMatch(/^ok/);
  const gateway = row({
    id: 'monolith',
    held: { 'uuid-1': { reason: 'its clock is wrong', since: before(1) } },
  });
  expect(of({}, [gateway])).toBe('error: monolith sends it nothing: its clock is wrong');
});

test('versions: of the product, of Node, of tables, of contracts, of words; and who says nothing', () => {
  const of = (own: Partial<HostSeen>) => said(...versionsOf(seen(own), about()));
  expect(of({})).toEqual(['ok: version 1.0.0, Node 24.1.0']);
  expect(
    of({
      about: {
        answer: about({ version: '0.9.0', node: '22.0.0', schemas: { parcels: '0002', other: 'x' } }),
      },
    }),
  ).toEqual([
    'warning: is version 0.9.0; the host that looks is 1.0.0',
    'warning: runs on Node 22.0.0; the host that looks on 24.1.0',
    'warning: knows the tables of parcels up to 0002; the host that looks up to 0001',
  ]);
  const differs = { module: 'parcels', path: '/operations/show', message: 'is missing' };
  expect(
    of({ row: row({ differences: [differs, differs] as never, speaks: ['in-process', 'service'] }) }),
  ).toEqual([
    'warning: its contract of parcels is another one: /operations/show is missing (and 1 more)',
    expect.stringMatching(/^warning: does not know: shadow, canary, stores/),
  ]);
  expect(of({ about: { why: 'it is of a version that knows nothing of this' } })).toEqual([
    'warning: is of a version that says nothing of itself',
  ]);
  expect(of({ about: { why: 'no answer within 2000 ms' } })[0]).toMatch(/^unknown: not checked/);
  expect(of({ about: { why: 'it answered 404' }, row: row({ doors: ['http'], speaks: [] }) })).toEqual([
    expect.stringMatching(/^ok: in another language/),
  ]);
});

test('what hosts stand on: files that are swept, secrets of their own making, telemetry, notices', () => {
  const host = (own: Partial<About>, role: 'monolith' | 'service' = 'monolith') => ({
    id: 'm',
    role,
    about: about(own),
  });
  expect(filesOf(host({}))).toMatchObject([{ level: 'ok' }]);
  expect(filesOf(host({ temporary: true }))).toMatchObject([{ level: 'warning' }]);
  expect(filesOf(host({ temporary: true, keeps: true }))).toMatchObject([{ level: 'warning' }]);
  expect(filesOf(host({ temporary: true, keeps: true, production: true }))).toMatchObject([
    { level: 'error' },
  ]);
  expect(filesOf(host({ temporary: true }, 'service'))).toEqual([]);

  const made = { madeHere: ['ADMIN_TOKEN', 'ROOT_KEY'] };
  expect(secretsOf(host(made))).toMatchObject([{ level: 'ok' }]);
  expect(said(...secretsOf(host({ ...made, production: true, legacy: true })))).toEqual([
    expect.stringMatching(/INTERNAL_KEY_LEGACY/),
    expect.stringMatching(/ADMIN_TOKEN is not set/),
    expect.stringMatching(/ROOT_KEY is not set/),
  ]);

  expect(telemetryOf(host({}))).toEqual([]);
  expect(telemetryOf(host({ otlp: { down: [], dropped: 0 } }))).toMatchObject([{ level: 'ok' }]);
  expect(said(...telemetryOf(host({ otlp: { down: ['logs'], dropped: 1_200 } })))).toEqual([
    'warning: logs cannot be sent by OTLP; 1,200 spans and lines were dropped since its start',
  ]);

  const none = { count: 0, oldestSeconds: 0 };
  expect(noticesOf([host({})], none, true)).toMatchObject([{ level: 'ok' }]);
  expect(
    said(...noticesOf([host({ notices: 'ECONNREFUSED' })], { count: 1, oldestSeconds: 9.6 }, true)),
  ).toEqual([
    'warning: the last notice to NOTIFY_URL did not arrive (ECONNREFUSED)',
    'warning: 1 notice waits that did not arrive, for up to 10 s',
  ]);
});

test('a folder is temporary by where it really is', () => {
  expect(isTemporary('/tmp/banyan')).toBe(true);
  expect(isTemporary('/dev/shm')).toBe(true);
  expect(isTemporary('/tmpfiles/banyan')).toBe(false);
  expect(isTemporary('/usr')).toBe(false);
  // A link of the system to the folder of this process; wherever this checkout is.
  expect(isTemporary('/proc/self/cwd')).toBe(isTemporary(process.cwd()));
});

test('what another process says of itself is read, or not understood', () => {
  expect(readAbout(JSON.parse(JSON.stringify(about())))).toEqual(about());
  expect(() => readAbout({ ...about(), now: 'noon' })).toThrow(/not understood: \/now/);
});
