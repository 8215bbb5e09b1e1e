// Whose first rows a start waits for.
import { expect, test, vi } from 'vitest';
import type { Snapshot } from '../routing/snapshot.ts';
import type { RunningModule } from './boot-module.ts';
import { seedAll } from './seeds.ts';

const never = () => new Promise<void>(() => {});
const locked = () => Promise.reject(new Error('it is locked'));
const module = (name: string, seed: () => Promise<void>) => ({ name, seed }) as RunningModule;
const placed = (...services: string[]) =>
  ({
    modules: Object.fromEntries(services.map((name) => [name, { placement: 'service' }])),
  }) as unknown as Snapshot;

const log = { warn: vi.fn() };

test('those of a module that serves here end with the start, or end it', async () => {
  const both = [module('depots', async () => {}), module('parcels', locked)];
  await expect(seedAll(both, placed(), log)).rejects.toThrow('it is locked');
});

test('those of a module that serves elsewhere hold a start up for a bounded time, whatever becomes of them', async () => {
  const begun = performance.now();
  await seedAll([module('depots', never)], placed('depots'), log, 50);
  expect(performance.now() - begun).toBeGreaterThan(45);

  await seedAll([module('parcels', locked)], placed('parcels'), log);
  const told = expect.objectContaining({ module: 'parcels' });
  expect(log.warn).toHaveBeenCalledWith(told, expect.stringContaining('the next start does'));
});

test('those of a module whose store is held hold no start up: only a host that is up lets it go', async () => {
  const begun = performance.now();
  const held = { modules: {}, stores: { depots: { gate: 'held' } } } as unknown as Snapshot;
  await seedAll([module('depots', never)], held, log);
  expect(performance.now() - begun).toBeLessThan(1_000);
});
