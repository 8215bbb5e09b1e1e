// The seam to shadows: what ladders ask of whoever runs them (host/shadowing.ts). A rung `shadow` needs all of it.
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
