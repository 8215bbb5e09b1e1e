// What is counted of the two sides of a module, and how it is told: requests, and how many of them were bad in one of
// several ways. `near` is the process that has every module, `far` the service.
// Plain data: it can be stored as JSON and read again by another host.
import type { Rung } from './rungs.ts';

export interface Counts {
  readonly n: number;
  readonly bad: number;
}

/**
 * `errors`, `slow`: requests of clients. `differences`: shadows that answered otherwise than the near side, against the
 * near side run twice. `restarts`: processes that ended without a drain. `instances`: seconds without a healthy one.
 * `attempts`: attempts at background work that failed. `lag`, `outbox`: seconds beyond a limit.
 */
export type Metric =
  | 'errors'
  | 'slow'
  | 'differences'
  | 'restarts'
  | 'instances'
  | 'attempts'
  | 'lag'
  | 'outbox';

/** `open`: not known yet. Nothing follows from it but waiting. */
export type Verdict = 'good' | 'bad' | 'open';

export interface EvidenceRow {
  readonly rung: Rung;
  readonly metric: Metric;
  readonly near: Counts;
  readonly far: Counts;
  readonly verdict: Verdict;
}

/** The near side as it was when it answered requests for the last time; `phi` says how much came in bursts. */
export type Frozen = { readonly [M in 'errors' | 'slow']?: Counts & { readonly phi: number } };

/** What the judge says at one look. */
export interface Judgement {
  readonly verdict: Verdict;
  /** In words, with the numbers; also of `open`: what is waited for. */
  readonly reason: string;
  readonly evidence: readonly EvidenceRow[];
  /** The near side on this rung, to be kept for the rungs that have none. */
  readonly near: Frozen;
}

const count = new Intl.NumberFormat('en-US');

/** `4 % of 300 (12)`. */
export function inWords({ n, bad }: Counts): string {
  const percent = n === 0 ? 0 : (100 * bad) / n;
  const digits = percent === 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2;
  return `${percent.toFixed(digits)} % of ${count.format(n)} (${count.format(bad)})`;
}
