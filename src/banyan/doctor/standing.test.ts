// What is found of the work itself: in the console's words, each with a command; nothing twice, and nothing well that nobody saw.
import { expect, test } from 'vitest';
import type { Picture, PictureModule } from '../console/shared/picture-shape.ts';
import type { SagaDesk } from '../console/system-shape.ts';
import { type StandingSeen, sharesOf, standingOf } from './standing.ts';

const at = Date.parse('2026-11-29T12:00:00Z');
const module = (own: Partial<PictureModule> = {}): PictureModule => ({
  ...{
    placement: 'in-process' as const,
    percent: 0,
    desired: 0,
    changedAt: new Date(at - 3_600_000).toISOString(),
  },
  ...{ changedBy: 'ada', instances: {}, uses: [], layer: 0, numbers: {}, dead: 0, retrying: 0 },
  ...own,
});
const cost = { processes: 0, cpu: 0, memoryBytes: 0 };
const picture = (modules: Record<string, PictureModule>, own: Partial<Picture> = {}): Picture => ({
  ...{ at, version: 1, modules, hosts: {}, refs: {}, arrows: {}, missing: {}, stuck: {} },
  cost: { 'in-process': cost, service: cost },
  ...own,
});
const desk = { module: 'parcels', list: { command: 'banyan saga' } } as SagaDesk;
const of = (shown: Picture, more: Partial<StandingSeen> = {}) =>
  standingOf({ picture: shown, oldestDead: undefined, sagas: [desk], said: new Set(), ...more }).map(
    ({ check, subject, level, found, remedy }) => `${level} ${check} ${subject}: ${found} -> ${remedy}`,
  );
const gone = { healthy: false, draining: false, supervised: true, lastExit: 'exit code 1' };

test('of what is well each is said', () => {
  expect(of(picture({ parcels: module() })).every((one) => one.startsWith('ok '))).toBe(true);
  expect(of(picture({ parcels: module() }))).toHaveLength(5);
});

test('letters: a warning at first, an error when nobody has decided for a day', () => {
  const shown = picture({ parcels: module({ dead: 2 }) });
  expect(of(shown, { oldestDead: 60 })[0]).toBe(
    'warning letters parcels: 2 dead letters -> npx banyan events dead',
  );
  expect(of(shown, { oldestDead: 2.5 * 86_400 })[0]).toBe(
    'error letters parcels: 2 dead letters; the oldest has waited for 2 days -> npx banyan events dead',
  );
  expect(of(picture({ parcels: module({ retrying: 1 }) }))[0]).toMatch(
    /-> npx banyan events dead --state waiting$/,
  );
});

test('sagas, the log, processes, ladders', () => {
  const shown = picture(
    {
      parcels: module({ placement: 'service', instances: { 'parcels-1': gone }, unread: 1 }),
      depots: module({ placement: 'service', ladder: { state: 'demoted', rung: '10', reason: 'slow' } }),
    },
    { stuck: { parcels: 3 } },
  );
  const all = of(shown).filter((one) => !one.startsWith('ok'));
  expect(all).toEqual([
    'error instances parcels-1: parcels-1 is down: exit code 1 -> Its last words: npx banyan logs parcels',
    'error instances depots: depots has no process -> npx banyan extract depots, or back: npx banyan restore depots',
    'error sagas parcels: 3 sagas are stuck -> npx banyan saga',
    'error log all: parcels does not get all of the event log -> npx banyan events',
    'warning ladder depots: depots came down its ladder -> npx banyan ladder status depots',
  ]);
  expect(of(shown, { said: new Set(['parcels-1']) }).join()).not.toContain('parcels-1 is down');
});

test('stuck sagas are shown where the module shows them, and else in its table', () => {
  const shown = picture({ parcels: module() }, { stuck: { parcels: 1 } });
  const remedy = (sagas: readonly SagaDesk[]) => of(shown, { sagas })[0]!.split(' -> ')[1];
  expect(remedy([{ module: 'parcels', list: { command: null } } as SagaDesk])).toMatch(/^The console shows/);
  expect(remedy([{ ...desk, module: 'depots' }])).toMatch(/FROM parcels\.sagas WHERE path <> 'done'$/);
});

test('what could not be read is not well', () => {
  const shown = picture({ parcels: module() }, { missing: { events: 'no answer within 2 s' } });
  const found = of(shown);
  expect(found).toEqual([
    expect.stringMatching(/^unknown standing dead letters: not checked: no answer within 2 s/),
  ]);
});

test('a share or a shadow that was left on, unless a ladder looks after it', () => {
  const days = (n: number) => new Date(at - n * 86_400_000).toISOString();
  const share = (own: Partial<PictureModule>) =>
    sharesOf(
      picture({ parcels: module({ placement: 'canary', percent: 10, changedAt: days(9), ...own }) }),
    ).map(({ level, found }) => `${level}: ${found}`);
  expect(share({})).toEqual([
    'warning: has had a share of 10 % for 9 days, set by ada, and no ladder moves it',
  ]);
  expect(share({ placement: 'shadow' })[0]).toMatch(/^warning: has been in shadow for 9 days/);
  for (const own of [
    { changedAt: days(2) },
    { placement: 'service' as const },
    { ladder: { state: 'running' as const, rung: '10', reason: 'so' } },
  ])
    expect(share(own)).toEqual([expect.stringMatching(/^ok/)]);
});
