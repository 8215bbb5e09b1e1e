// Whose background work is while a service has a share of the requests, and that shares which change all the time
// neither move it nor hold it up.
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ModulePlacement, Placement, Side, Snapshot } from '../routing/snapshot.ts';
import { createBackground, STABLE_MS } from './background.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function hostOf(mine: Side, placement: Placement, percent: number) {
  const listeners = new Set<(snapshot: Snapshot) => void>();
  const picture = (placement: Placement, percent: number): Snapshot => {
    const now = Date.now();
    const changed = { changedAt: new Date(now).toISOString(), changedBy: 'ada', stableSince: now };
    const till: ModulePlacement = { module: 'till', placement, percent, instances: [], ...changed };
    return { version: now, modules: { till }, monoliths: [], revoked: {} };
  };
  const placements = {
    current: picture(placement, percent),
    subscribe: (listener: (snapshot: Snapshot) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh: async () => placements.current,
  };
  const done: string[] = [];
  const task = {
    name: 'relay',
    start: async () => void done.push('start'),
    stop: async () => void done.push('stop'),
  };
  const tasks = new Map([['till', [task]]]);
  const background = createBackground({ mine, placements, tasks, log: pino({ level: 'silent' }) });
  background.start();
  const place = (placement: Placement, percent: number) => {
    placements.current = picture(placement, percent);
    for (const one of listeners) one(placements.current);
  };
  return { place, done, background };
}

test('in canary it is the monolith that works', async () => {
  const [home, away] = [hostOf('in-process', 'canary', 99), hostOf('service', 'canary', 99)];
  await vi.advanceTimersByTimeAsync(STABLE_MS);
  expect([home.done, away.done]).toEqual([['start'], []]);
  for (const one of [home, away]) one.place('service', 100);
  await vi.advanceTimersByTimeAsync(STABLE_MS);
  expect([home.done, away.done]).toEqual([['start', 'stop'], ['start']]);
  for (const one of [home, away]) one.place('canary', 50);
  await vi.advanceTimersByTimeAsync(STABLE_MS);
  expect([home.done, away.done]).toEqual([
    ['start', 'stop', 'start'],
    ['start', 'stop'],
  ]);
});

test('a share that changes all the time holds up no start, and causes none', async () => {
  const { place, done } = hostOf('in-process', 'canary', 1);
  for (let percent = 1; percent < 90; percent += 1) {
    await vi.advanceTimersByTimeAsync(100);
    place('canary', percent);
  }
  expect(done).toEqual(['start']);
});

test('a placement that does not stay for 2 s moves nothing', async () => {
  const { place, done } = hostOf('in-process', 'service', 100);
  await vi.advanceTimersByTimeAsync(STABLE_MS);
  for (const placement of ['in-process', 'service', 'canary', 'service'] as const) {
    place(placement, placement === 'service' ? 100 : placement === 'canary' ? 10 : 0);
    await vi.advanceTimersByTimeAsync(STABLE_MS - 100);
  }
  expect(done).toEqual([]);
});
