// The seam to shadows: what ladders ask of whoever runs them. A rung `shadow` needs all of it; until a host has one, ladders
// begin at their first share of requests.
import type { Counts } from './evidence.ts';

export interface ShadowCounts {
  readonly mirrored: number;
  readonly differed: number;
  readonly skipped: number;
  readonly failed: number;
}

export const noShadows: ShadowCounts = { mirrored: 0, differed: 0, skipped: 0, failed: 0 };

export interface Shadowing {
  /** Why a module cannot be shadowed here and now, in a sentence; undefined: it can. */
  refusal(module: string): Promise<string | undefined>;
  /** Since the present placement began, over all hosts. */
  counts(module: string): Promise<ShadowCounts>;
  /** Shadows that differed, and the near side run twice (`near`), over all hosts; they only grow while a run lasts. */
  differences(module: string): Promise<{ readonly near: Counts; readonly far: Counts }>;
}

/** A product, or a version, without shadows. */
export const withoutShadows: Shadowing = {
  refusal: async () =>
    'This version does not shadow requests yet. Begin with a small share: --steps 1,10,50,100',
  counts: async () => noShadows,
  differences: async () => ({ near: { n: 0, bad: 0 }, far: { n: 0, bad: 0 } }),
};
