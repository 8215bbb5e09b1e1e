// Whose first rows a start waits for.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Snapshot } from '../routing/snapshot.ts';
import type { RunningModule } from './boot-module.ts';
import { seedAll } from './seeds.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = () => new Promise<void>(() => {});
const module = (name: string, seed: () => Promise<void>) => ({ name, seed }) as RunningModule;
const placed = (...services: string[]) =>
  ({
    modules: Object.fromEntries(services.map((name) => [name, { placement: 'service' }])),
  }) as unknown as Snapshot;

const log = { warn: vi.fn() };

test('those of a module that serves here end with the start, or end it', async () => {
  await expect(
    seedAll(
      [module('depots', async () => {}), module('parcels', () => Promise.reject(new Error('no table')))],
      placed(),
      log,
    ),
  ).rejects.toThrow('no table');
});

test('those of a module that serves elsewhere hold a start up for five seconds at most, whatever becomes of them', async () => {
  const done = vi.fn();
  void seedAll([module('depots', never)], placed('depots'), log).then(done);
  await vi.advanceTimersByTimeAsync(4_900);
  expect(done).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(done).toHaveBeenCalled();

  await seedAll([module('parcels', () => Promise.reject(new Error('it is locked')))], placed('parcels'), log);
  expect(log.warn).toHaveBeenCalledWith(
    expect.objectContaining({ module: 'parcels' }),
    expect.stringContaining('the next start does'),
  );
});
