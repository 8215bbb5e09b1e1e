// What the judge says, and what of it outlasts a rung. Plain data.
import type { Side } from './bursts.ts';
import type { EvidenceRow, TestedMetric, Verdict } from './evidence.ts';

/** The near side as it was when it answered for the last time. */
export type Frozen = { readonly [M in TestedMetric]?: Side };

/** What the judge says at one look. */
export interface Judgement {
  readonly verdict: Verdict;
  /** In words, with the numbers; also of `open`: what is waited for. */
  readonly reason: string;
  readonly evidence: readonly EvidenceRow[];
  /** The near side on this rung, to be kept for the rungs that have none. */
  readonly near: Frozen;
  /** Of a rung that was good: operations that are not known to be. */
  readonly unjudged?: readonly string[];
}
