// What the picture says is wrong: each thing in a word with the view that says more, nothing twice, and no health where
// nobody looked.
import { expect, test } from 'vitest';
import type { Picture, PictureHost, PictureModule } from './picture-shape.ts';
import { unknownIn, type Wrong, wrongIn } from './wrong.ts';

const at = Date.parse('2026-11-29T12:00:00Z');

const module = (own: Partial<PictureModule> = {}): PictureModule => ({
  placement: 'in-process',
  percent: 0,
  desired: 0,
  changedAt: '2026-11-29T11:00:00.000Z',
  changedBy: 'ada',
  instances: {},
  uses: [],
  layer: 0,
  numbers: {},
  dead: 0,
  retrying: 0,
  ...own,
});
const host = (id: string, own: Partial<PictureHost> = {}): PictureHost => ({
  id,
  role: 'service',
  pid: 1,
  live: true,
  ready: true,
  draining: false,
  version: 1,
  busy: 0,
  inflight: 0,
  ...own,
});
const cost = { processes: 0, cpu: 0, memoryBytes: 0 };
const picture = (modules: Record<string, PictureModule>, own: Partial<Picture> = {}): Picture => ({
  at,
  version: 1,
  modules,
  hosts: {},
  refs: {},
  arrows: {},
  cost: { 'in-process': cost, service: cost },
  missing: {},
  stuck: {},
  ...own,
});
const instance = { pid: 7, url: 'http://x', healthy: true, draining: false, supervised: true };
const said = (all: readonly Wrong[]) => all.map(({ tone, words }) => `${tone}: ${words}`);
const has = { letters: true, sagas: true };

test('of a system that is well, nothing', () => {
  const well = picture({
    parcels: module({ placement: 'service', instances: { 'parcels-1': instance } }),
    depots: module({ ladder: { state: 'done', rung: '100', reason: 'well' } }),
  });
  expect(wrongIn(well)).toEqual([]);
  expect(unknownIn(well, has)).toEqual([]);
});

test('letters and sagas are counted, and their links lead to those alone', () => {
  const some = picture(
    { parcels: module({ dead: 9 }), depots: module({ retrying: 1 }) },
    { stuck: { parcels: 2, depots: 0 } },
  );
  expect(said(wrongIn(some))).toEqual([
    'bad: 9 dead letters',
    'bad: 2 sagas are stuck',
    'warn: 1 event waits for the next try',
  ]);
  expect(wrongIn(some).map(({ path, query, menu, count }) => ({ path, query, menu, count }))).toEqual([
    { path: '/dead', query: { module: 'parcels' }, menu: '/dead', count: 9 },
    { path: '/sagas', query: { state: 'stuck' }, menu: '/sagas', count: 2 },
    { path: '/dead', query: { module: 'depots', state: 'waiting' }, menu: '/dead', count: 1 },
  ]);
  const more = picture(
    { parcels: module({ dead: 1 }), depots: module({ dead: 2 }) },
    { stuck: { parcels: 1, depots: 1 } },
  );
  expect(said(wrongIn(more))).toEqual([
    'bad: 3 dead letters',
    'bad: 1 saga is stuck in parcels',
    'bad: 1 saga is stuck in depots',
  ]);
  expect(wrongIn(more).map(({ query }) => query)).toEqual([
    {},
    { state: 'stuck', of: 'parcels' },
    { state: 'stuck', of: 'depots' },
  ]);
});

test('a process that ended is down, one that starts or ends as it should is not', () => {
  const { pid: _pid, url: _url, ...gone } = { ...instance, healthy: false };
  const ended = { ...gone, lastExit: 'ended by SIGKILL' };
  const of = (one: PictureModule['instances'][string], own: Partial<PictureModule> = {}) =>
    said(
      wrongIn(
        picture({ parcels: module({ placement: 'service', instances: { 'parcels-1': one }, ...own }) }),
      ),
    );
  expect(of(ended)).toEqual(['bad: parcels-1 is down']);
  expect(of({ ...instance, healthy: false })).toEqual(['bad: parcels-1 is down']);
  expect(of({ ...gone, starting: true })).toEqual([]);
  expect(of({ ...instance, healthy: false, draining: true })).toEqual([]);
  expect(of(instance, { instances: {} })).toEqual(['bad: parcels has no process']);
  const four = Object.fromEntries(['1', '2', '3', '4'].map((n) => [`parcels-${n}`, ended]));
  expect(of(ended, { instances: four })).toEqual(['bad: 4 processes are down']);
});

test('a host that does not answer is said once, and not for one late answer', () => {
  const parcels = module({ placement: 'service', instances: { 'parcels-1': instance } });
  const of = (one: PictureHost, modules: Record<string, PictureModule> = { parcels }) =>
    wrongIn(picture(modules, { hosts: { x: one } }));
  expect(of(host('parcels-1', { silent: 'late', numbersAge: 1_200 }))).toEqual([]);
  expect(of(host('parcels-1', { silent: 'it is not heard of' }))).toEqual([]);
  const silent = host('parcels-1', { silent: 'no answer', numbersAge: 4_000 });
  expect(said(of(silent))).toEqual(['bad: parcels-1 does not answer']);
  expect(of(silent)[0]!.path).toBe('/modules/parcels');
  expect(said(of(host('monolith', { role: 'monolith', live: false })))).toEqual([
    'bad: monolith does not answer',
  ]);
  expect(of(host('monolith', { live: false, draining: true }))).toEqual([]);
  const down = module({ ...parcels, instances: { 'parcels-1': { ...instance, healthy: false } } });
  expect(said(of(silent, { parcels: down }))).toEqual(['bad: parcels-1 is down']);
});

test('a broken pair, a ladder that came down lately, and a log that cannot be read', () => {
  const demoted = { state: 'demoted', rung: '50', reason: 'it failed' } as const;
  const all = picture({
    parcels: module({ store: { server: 'own', epoch: 1, state: 'broken' }, unread: 1 }),
    depots: module({ ladder: demoted }),
    stamps: module({ ladder: demoted, changedAt: '2026-11-27T11:00:00.000Z' }),
  });
  expect(wrongIn(all).map(({ words, menu }) => `${words} ${menu}`)).toEqual([
    'parcels does not get all of the event log /events',
    'the pair of parcels’s store is broken /moves',
    'depots came down its ladder /',
  ]);
});

test('what nobody can say is not said to be well', () => {
  const { stuck: _, ...blind } = picture({ parcels: module({ dead: undefined } as Partial<PictureModule>) });
  expect(unknownIn(blind, has)).toEqual(['dead letters', 'stuck sagas']);
  expect(unknownIn(blind, { letters: false, sagas: false })).toEqual([]);
  const missing = { hosts: 'x', placements: 'x', events: 'x', sagas: 'x', stores: 'x' };
  expect(unknownIn(picture({ parcels: module() }, { missing }), has)).toEqual([
    'processes',
    'where modules serve',
    'dead letters',
    'stuck sagas',
    'stores',
  ]);
});
