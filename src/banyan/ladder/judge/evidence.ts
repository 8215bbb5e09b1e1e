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
export type Metric = TestedMetric | 'restarts' | 'instances' | 'lag' | 'outbox';

/** Those of which both sides have a rate. */
export type TestedMetric = 'errors' | 'slow' | 'differences' | 'attempts';

/** `open`: not known yet. Nothing follows from it but waiting. */
export type Verdict = 'good' | 'bad' | 'open';

export interface EvidenceRow {
  readonly rung: Rung;
  readonly metric: Metric;
  readonly near: Counts;
  readonly far: Counts;
  readonly verdict: Verdict;
}

/** The operation that most of the far side's bad ones were of, in words; undefined: there were none. */
export interface Mostly {
  readonly errors: string | undefined;
  readonly slow: string | undefined;
}

const count = new Intl.NumberFormat('en-US');

/** `100,000`. */
export const grouped = (n: number): string => count.format(n);

/** `4 % of 300 (12)`. */
export function inWords({ n, bad }: Counts): string {
  const percent = n === 0 ? 0 : (100 * bad) / n;
  const digits = percent === 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2;
  return `${percent.toFixed(digits)} % of ${count.format(n)} (${count.format(bad)})`;
}
