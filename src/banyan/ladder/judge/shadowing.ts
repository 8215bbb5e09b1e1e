// The seam to shadows: what ladders ask of whoever runs them (host/shadowing.ts). A rung `shadow` needs all of it.
import type { Counts } from './evidence.ts';
import type { Learning, OperationDifferences } from './judge.ts';

export interface ShadowCounts {
  readonly mirrored: number;
  readonly differed: number;
  readonly skipped: number;
  readonly failed: number;
  /** Of the skipped ones how many for which reason. */
  readonly skips?: Readonly<Record<string, number>>;
  /** Why there are none at the moment, in words. */
  readonly paused?: string;
  /** Operations that could be tried and were compared too seldom to say anything of them. */
  readonly unjudged?: readonly string[];
}

export const noShadows: ShadowCounts = { mirrored: 0, differed: 0, skipped: 0, failed: 0 };

export interface Differences {
  readonly near: Counts;
  readonly far: Counts;
  /** Of those operations that differed. */
  readonly operations: readonly OperationDifferences[];
  /** While no operation can be compared yet; absent: one can, or a host does not say. */
  readonly learning?: Learning | undefined;
  readonly unjudged: readonly string[];
}

export interface Shadowing {
  /** Why a module cannot be shadowed here and now, in a sentence; undefined: it can. */
  refusal(module: string): Promise<string | undefined>;
  /** Since the present placement began, over all hosts. */
  counts(module: string): Promise<ShadowCounts>;
  /** Shadows that differed, and the near side run twice (`near`), over all hosts; they only grow while a run lasts. */
  differences(module: string): Promise<Differences>;
  /** By module why a host that should mirror it does not at the moment. */
  paused(): Promise<ReadonlyMap<string, string>>;
}
