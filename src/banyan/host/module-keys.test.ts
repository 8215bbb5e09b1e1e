// What a module can do by keys: seal for another, open its own, and nothing by the keys of its neighbours in one process.
import { expect, it } from 'vitest';
import type { Keys } from '../identity/held-keys.ts';
import { generateSealKey, generateSigningKey, publicHalf } from '../identity/keys.ts';
import { SealBroken } from '../identity/seal.ts';
import type { Placements, Snapshot } from '../routing/snapshot.ts';
import type { BootOptions } from './boot-options.ts';
import { moduleKeys } from './module-keys.ts';

const [parcels, newer, depots] = [generateSealKey(), generateSealKey(), generateSealKey()];
const session = generateSigningKey();
const everything = [parcels, newer, depots, session];
/** A monolith holds the keys of all of its modules. */
const keys: Keys = {
  held: (kid) => everything.find((key) => key.kid === kid),
  find: async (kid) => keys.held(kid),
};
const picture = (...ofParcels: (typeof parcels)[]) =>
  ({
    jwks: { keys: [publicHalf(session)] },
    seals: { parcels: ofParcels.map(publicHalf), depots: [publicHalf(depots)] },
  }) as unknown as Snapshot;

/** @param next what a look again finds. */
function kitOf(module: string, now: Snapshot, next = now, signsSessions = false) {
  const placements = {
    current: now,
    async refresh() {
      placements.current = next;
      return next;
    },
  };
  return moduleKeys(module, {
    keys,
    placements: placements as unknown as Placements,
    signsSessions,
  } as BootOptions);
}

it('a text is for the module that it was sealed for, and its neighbours in the process cannot open it', async () => {
  const sealed = await kitOf('depots', picture(parcels)).sealFor('parcels')('fragile');
  expect(await kitOf('parcels', picture(parcels)).unseal(sealed)).toBe('fragile');
  await expect(kitOf('depots', picture(parcels)).unseal(sealed)).rejects.toThrow(SealBroken);
});

it('a text outlives the key that it was sealed by, as long as that is published', async () => {
  const sealed = await kitOf('depots', picture(parcels)).sealFor('parcels')('fragile');
  expect(await kitOf('parcels', picture(newer, parcels)).unseal(sealed)).toBe('fragile');
  await expect(kitOf('parcels', picture(newer)).unseal(sealed)).rejects.toThrow(SealBroken);
});

it('a text by a key that this host has not heard of is opened after one look', async () => {
  const sealed = await kitOf('depots', picture(newer, parcels)).sealFor('parcels')('fragile');
  expect(await kitOf('parcels', picture(parcels), picture(newer, parcels)).unseal(sealed)).toBe('fragile');
});

it('what nobody could open is not sealed', async () => {
  await expect(kitOf('depots', picture(parcels)).sealFor('routes')('x')).rejects.toThrow(
    /module of the product/,
  );
});

it('sessions are signed by the module that the product names, and no other', async () => {
  const subject = { id: 'u', role: 'courier', epoch: 0 };
  const now = picture(parcels);
  expect((await kitOf('depots', now, now, true).sessions.sign(subject)).token).toMatch(/^eyJ/);
  await expect(kitOf('parcels', now).sessions.sign(subject)).rejects.toThrow(/signs no sessions/);
});
