// What is found of database servers: how they are set, the room they have, their tables, and what belongs to pairs.
import { expect, test } from 'vitest';
import type { PairRow } from '../servers/tasks/pair-rows.ts';
import type { Finding } from './finding.ts';
import { migrationsOf } from './migrations.ts';
import { type Expected, orphansOf, pairOf, versionsOfPair } from './pairs.ts';
import type { ServerReading } from './server-reading.ts';
import { archiveOf, connectionsOf, diskOf, replicationRoomOf } from './server-room.ts';
import { settingsOf, timeOf, versionOf } from './server-settings.ts';

const settings = {
  ...{ fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on', autovacuum: 'on', track_counts: 'on' },
  ...{
    default_transaction_read_only: 'off',
    default_transaction_isolation: 'read committed',
    TimeZone: 'UTC',
  },
  ...{ idle_session_timeout: '0', transaction_timeout: '0', statement_timeout: '2500', wal_level: 'logical' },
  ...{ idle_in_transaction_session_timeout: '0', max_slot_wal_keep_size: '4096', max_connections: '400' },
  ...{ max_replication_slots: '32', max_wal_senders: '32' },
};
const reading = (
  own: Partial<ServerReading> = {},
  asked: Partial<ServerReading['asked']> = {},
): ServerReading => ({
  asked: { subject: 'shared', isHere: true, modules: ['parcels'], isPaired: false, ...asked },
  clock: { aheadMs: 0, doubtMs: 1 },
  ...{ versionNumber: 180_004, database: 'shop', user: 'postgres', isStandby: false, takes: 397, open: 40 },
  ...{ senders: 0, allSlots: 0, folder: '/data', settings, onCommandLine: [], given: [], slots: [] },
  archive: { mode: 'off', failing: null },
  ...{ subscriptions: [], publications: [], migrations: { parcels: { pending: [], ahead: [] } } },
  ...own,
});
const said = (...findings: readonly Finding[]) => findings.map(({ level, found }) => `${level}: ${found}`);
const remedies = (findings: readonly Finding[]) => findings.map(({ remedy }) => remedy);

test('times as PostgreSQL writes them', () => {
  expect(['0', '2500', '60s', "'5min'", '1h', '50 ms', '100us', 'default'].map(timeOf)).toEqual([
    0, 2_500, 60_000, 300_000, 3_600_000, 50, 0.1, 0,
  ]);
});

test('what a crash or a timeout breaks is said with where it was set, and how to take it back', () => {
  expect(settingsOf(reading())).toMatchObject([{ level: 'ok' }]);
  const bad = settingsOf(reading({ settings: { ...settings, fsync: 'off', autovacuum: 'off' } }));
  expect(said(...bad)).toEqual([
    expect.stringMatching(/^error: fsync = off \(the server\)/),
    expect.stringMatching(/^warning: autovacuum = off/),
  ]);
  expect(remedies(bad)[0]).toBe('Run there: ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()');
  // No statement changes what a server was started with.
  const started = reading({ settings: { ...settings, fsync: 'off' }, onCommandLine: ['fsync'] });
  expect(remedies(settingsOf(started))).toEqual([
    'It is on the command line of the server. Start it without it, or with fsync = on',
  ]);
  // Of the library's roles these are set by itself: what the session of the administrator has is nobody's.
  expect(settingsOf(reading({ settings: { ...settings, statement_timeout: '50' } }))).toMatchObject([
    { level: 'ok' },
  ]);
  expect(said(...settingsOf(reading({ isStandby: true })))[0]).toMatch(/^error: is a standby/);
});

test('what is set for the database, for a role, or for all holds over what the server says, and is said once', () => {
  const ofDatabase = ['banyan_parcels', 'banyan_depots', 'postgres'].map((role) => ({
    role,
    name: 'synchronous_commit',
    value: 'off',
    by: 'database' as const,
  }));
  const found = settingsOf(
    reading({
      settings: { ...settings, synchronous_commit: 'off' },
      given: [
        ...ofDatabase,
        { role: 'banyan_parcels', name: 'statement_timeout', value: '50ms', by: 'role' },
        { role: 'banyan_depots', name: 'statement_timeout', value: '60s', by: 'role' },
        { role: 'banyan_depots', name: 'idle_session_timeout', value: '1min', by: 'all' },
      ],
    }),
  );
  expect(said(...found)).toEqual([
    expect.stringMatching(/^error: synchronous_commit = off \(the database shop\)/),
    expect.stringMatching(
      /^warning: statement_timeout = 50ms \(the role banyan_parcels\): statements end after 50 ms/,
    ),
    expect.stringMatching(/^warning: idle_session_timeout = 1min \(all roles\)/),
  ]);
  expect(remedies(found)).toEqual([
    'Run there: ALTER DATABASE "shop" RESET synchronous_commit',
    'Run there: ALTER ROLE "banyan_parcels" RESET statement_timeout; ALTER ROLE "banyan_parcels" IN DATABASE "shop" RESET statement_timeout',
    'Run there: ALTER ROLE ALL RESET idle_session_timeout',
  ]);
});

test('the version', () => {
  expect(said(versionOf(reading()))).toEqual([
    'ok: PostgreSQL 18.4, time zone UTC (times are kept with theirs)',
  ]);
  expect(said(versionOf(reading({ versionNumber: 150_009 })))).toEqual(['error: is PostgreSQL 15.9']);
});

test('connections: what hosts may open against what it takes, and what is open', () => {
  const needs = { banyan_parcels: 100, banyan_log: 200 };
  expect(said(...connectionsOf(reading(), needs))).toEqual([
    'ok: takes 397 connections; 40 are open, and hosts may open 300',
  ]);
  const few = connectionsOf(reading({ takes: 97, open: 90 }), needs);
  expect(said(...few)).toEqual([
    'error: takes 97 connections, and hosts may open 300: 211 too few',
    'warning: 90 of 97 connections are open',
  ]);
  expect(remedies(few)[0]).toMatch(/max_connections there by at least 211/);
});

test('an archive that fails is an error; that there is none is said', () => {
  const of = (mode: string, failing: string | null) =>
    said(archiveOf(reading({ archive: { mode, failing } })));
  expect(of('off', null)).toEqual(['ok: archives nothing (archive_mode = off)']);
  expect(of('on', null)).toEqual(['ok: its log is archived']);
  expect(of('on', '2026-11-29T12:00:00+00:00')).toEqual([expect.stringMatching(/^error: .*12:00:00/)]);
});

test('replication: what a pair stands on, and a log that is kept without end', () => {
  const of = (own: Partial<typeof settings>, more: Partial<ServerReading> = {}, isPaired = true) =>
    said(...replicationRoomOf(reading({ settings: { ...settings, ...own }, ...more }, { isPaired })));
  expect(of({})).toEqual(['ok: has room for its pairs']);
  expect(of({ wal_level: 'replica' })[0]).toMatch(/^error: wal_level = replica/);
  expect(of({ wal_level: 'replica' }, {}, false)).toEqual(['ok: has no pair (wal_level = replica)']);
  expect(of({ max_replication_slots: '4' }, { allSlots: 4 })[0]).toMatch(
    /^warning: max_replication_slots = 4/,
  );
  const slots = [{ name: 's', active: true, kept: 0, state: 'reserved' }];
  expect(of({ max_slot_wal_keep_size: '-1' }, { slots }, false)[0]).toMatch(
    /^warning: max_slot_wal_keep_size = -1/,
  );
  expect(of({ max_slot_wal_keep_size: '-1' }, {}, false)[0]).toMatch(/^ok/);
});

test('a disk', () => {
  const GB = 1_073_741_824;
  expect(diskOf('shared', { free: 50 * GB, total: 100 * GB }).level).toBe('ok');
  expect(diskOf('shared', { free: 2 * GB, total: 100 * GB }).level).toBe('warning');
  expect(diskOf('shared', { free: 0.9 * GB, total: 10 * GB }).level).toBe('warning');
  expect(diskOf('shared', { free: 0.1 * GB, total: 10 * GB }).level).toBe('error');
});

test('migrations to come, and those of a newer version', () => {
  const of = (pending: string[], ahead: string[]) =>
    said(...migrationsOf(reading({ migrations: { parcels: { pending, ahead } } })));
  expect(of([], [])).toEqual(['ok: all are done on shared']);
  expect(of(['0002_more'], ['0009_new'])).toEqual(['error: 1 migration to come on shared: 0002_more']);
  expect(of([], ['0009_new'])).toEqual([
    'warning: has 1 migration that this version does not know: 0009_new',
  ]);
  expect(said(...migrationsOf(reading({ migrations: { parcels: 'permission denied' } })))).toEqual([
    'unknown: not checked: permission denied',
  ]);
});

const now = Date.parse('2026-11-29T12:00:00Z');
const pair = { module: 'parcels', server: 'shared', pairedWith: 'other', mostKept: 100 * 1_048_576 };
const row = (own: Partial<PairRow> = {}): PairRow => ({
  ...{ module: 'parcels', state: 'paired' as const, lagBytes: 0, lagMs: 0, keptBytes: 1_000, reason: null },
  lookedAt: new Date(now - 2_000).toISOString(),
  ...own,
});

test('a pair: followed, far behind, dear for the disk of the owner, not looked at, broken', () => {
  const of = (own: Partial<PairRow> | undefined) => said(pairOf(pair, own && row(own), now))[0];
  expect(of({})).toBe('ok: other follows shared (paired)');
  expect(of(undefined)).toMatch(/^warning: nobody has looked yet/);
  expect(of({ lookedAt: new Date(now - 120_000).toISOString() })).toMatch(
    /^warning: nobody has looked for 120 s/,
  );
  expect(of({ keptBytes: 60 * 1_048_576 })).toMatch(/^warning: shared keeps 60 MB .* breaks at 100 MB/);
  expect(of({ lagMs: 90_000, lagBytes: 80 * 1_048_576 })).toMatch(
    /^warning: other is 90 s and 80 MB behind shared/,
  );
  // Nothing is written: the age of the last change is no lag.
  expect(of({ lagMs: 90_000, lagBytes: 0 })).toMatch(/^ok/);
  expect(of({ reason: 'the server other does not let us in' })).toMatch(
    /^warning: other follows shared, but/,
  );
  expect(of({ state: 'broken', reason: 'the slot is gone' })).toBe(
    'error: the pair of its store is broken: the slot is gone',
  );
  expect(versionsOfPair(pair, reading(), reading()).level).toBe('ok');
  expect(versionsOfPair(pair, reading(), reading({ versionNumber: 170_001 })).level).toBe('error');
});

test('what is of no pair is named with how to remove it; what belongs to one, or is under way, is left', () => {
  const link = 'banyan_parcels_to_other_12345678';
  const expected = (own: Partial<Expected> = {}): Expected => ({
    ...{
      links: new Set([link]),
      publications: new Set(['banyan_parcels']),
      roles: ['banyan_parcels', 'banyan_depots'],
      unsure: [],
      busy: false,
    },
    ...own,
  });
  const slot = (name: string, active = false) => ({ name, active, kept: 3 * 1_048_576, state: 'reserved' });
  const some = {
    slots: [
      slot(link, true),
      slot('banyan_depots_to_gone_1'),
      slot('pg_16400_sync_16401_74'),
      slot('backup'),
      slot('cdc', true),
    ],
    subscriptions: [link, 'banyan_depots_to_gone_1', 'theirs'],
    publications: ['banyan_parcels', 'banyan_depots', 'theirs'],
  };
  const found = orphansOf(reading(some), expected());
  expect(said(...found)).toEqual([
    'warning: the slot banyan_depots_to_gone_1 is of no pair, and keeps 3.0 MB of the log',
    'warning: the slot pg_16400_sync_16401_74 is of no pair, and keeps 3.0 MB of the log',
    'warning: the slot backup is not ours, nobody reads it, and it keeps 3.0 MB of the log',
    'warning: the subscription banyan_depots_to_gone_1 is of no pair',
    'warning: the publication banyan_depots is of no pair',
  ]);
  expect(remedies(found)[0]).toBe("Run there: SELECT pg_drop_replication_slot('banyan_depots_to_gone_1')");
  expect(orphansOf(reading(some), expected({ busy: true }))).toMatchObject([{ level: 'unknown' }]);
  expect(orphansOf(reading(), expected())).toMatchObject([{ level: 'ok' }]);
  // A pair that this host does not reach may well be alive: nobody is told to drop what keeps it.
  const unsure = { roles: ['banyan_parcels'], unsure: ['banyan_depots'] };
  const kept = said(...orphansOf(reading(some), expected(unsure)));
  expect(kept.filter((one) => one.includes('depots'))).toEqual([]);
});
