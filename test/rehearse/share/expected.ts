// Which side a key is on, said once more and apart from the product: by the text of the promise (the key of flagd's own
// hash, module first), not by the product's functions. A mistake there would else be expected here as well. Pure.
import murmurhash from 'murmurhash';

export type Side = 'in-process' | 'service';

export const MODULES = ['catalog', 'orders'] as const;
export type SharedModule = (typeof MODULES)[number];

export function sideOfKey(module: SharedModule, percent: number, key: string): Side {
  const bucket = Math.floor((murmurhash.v3(module + key, 0) * 100) / 2 ** 32);
  return bucket < percent ? 'service' : 'in-process';
}

/** How far from its mean a count of `of` throws may be: five deviations, which one count in two million passes. */
export function bounds(of: number, chance: number): readonly [least: number, most: number] {
  const mean = of * chance;
  const room = chance === 0 || chance === 1 ? 0 : 5 * Math.sqrt(mean * (1 - chance)) + 1;
  return [Math.max(0, Math.ceil(mean - room)), Math.min(of, Math.floor(mean + room))];
}
