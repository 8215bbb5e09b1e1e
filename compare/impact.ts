// From the requests of a run in which something failed to who was affected, how, and for how long. A request is
// affected when it failed, or when it was slow beyond doubt: three times what one in a hundred takes anyway and 20 ms
// more, or a second.

import type { Fault, IsolationCell } from './format/report.ts';
import type { LoadResult, Planned } from './load/plan.ts';
import type { Latencies } from './statistics/histogram.ts';
import { decidedKind } from './trials.ts';

/** Slower than this is slowed. */
export type Threshold = number;

export function thresholdOf(usual: Latencies): Threshold {
  const [p99, p90] = [usual.quantile(0.99), usual.quantile(0.9)];
  // Too few for a p99: tails of requests are some two and three times as long.
  const rare = p99 ?? (p90 === null ? (usual.quantile(0.5) ?? 0) * 4 : p90 * 2);
  return Math.min(SLOW_FOR_ANYBODY_MS, Math.max(rare * 3, rare + 20));
}

export interface ImpactOptions {
  /** On the axis of the schedule. */
  readonly strikeMs: number;
  readonly holdMs: number;
  readonly endMs: number;
  readonly thresholds: ReadonlyMap<string, Threshold>;
}

interface Seen {
  readonly atMs: number;
  readonly kind: string;
  readonly failed: boolean;
  readonly slowed: boolean;
}

export type Impact = Pick<
  Fault,
  'windowSeconds' | 'requests' | 'failedShare' | 'slowedShare' | 'recoverySeconds' | 'cells' | 'timeline'
>;

const SLOW_FOR_ANYBODY_MS = 1000;
/** So long without any impact, and it is over. */
const CALM_MS = 1000;
const STEP_MS = 500;
/** Requests that were under way when it struck are affected as well. */
const UNDER_WAY_MS = 500;

export function impactOf(
  requests: readonly Planned[],
  result: LoadResult,
  { strikeMs, holdMs, endMs, thresholds }: ImpactOptions,
): Impact {
  const seen = look(requests, result, thresholds);
  const affected = seen.filter(
    ({ atMs, failed, slowed }) => atMs > strikeMs - UNDER_WAY_MS && (failed || slowed),
  );
  const last = affected.at(-1)?.atMs;
  const recovered = last === undefined ? 0 : last - strikeMs;
  const inTime = recovered <= endMs - strikeMs - CALM_MS;
  const windowMs = Math.max(holdMs, STEP_MS, inTime ? recovered : endMs - strikeMs);
  const window = seen.filter(({ atMs }) => atMs >= strikeMs && atMs <= strikeMs + windowMs);
  const whole = window.filter(({ kind }) => !isDecided(kind, requests));
  const failedWhole = failedRequests(requests, result, strikeMs, windowMs);
  return {
    windowSeconds: windowMs / 1000,
    requests: whole.length,
    failedShare: shareOf(failedWhole, whole.length),
    slowedShare: shareOf(whole.filter(({ slowed, failed }) => slowed && !failed).length, whole.length),
    recoverySeconds: inTime ? Math.max(0, recovered) / 1000 : null,
    cells: [...new Set(seen.map(({ kind }) => kind))].map((kind) =>
      cellOf(
        kind,
        window.filter((one) => one.kind === kind),
      ),
    ),
    timeline: timelineOf(
      seen.filter(({ kind }) => !isDecided(kind, requests)),
      strikeMs,
      endMs,
    ),
  };
}

/** Each request as one or two entries: its answer, and its decision where it has one. */
function look(
  requests: readonly Planned[],
  { latencyMs, decidedMs, failed, status }: LoadResult,
  thresholds: ReadonlyMap<string, Threshold>,
): Seen[] {
  const slow = (kind: string, ms: number) => ms > (thresholds.get(kind) ?? Number.POSITIVE_INFINITY);
  return requests.flatMap(({ atMs, kind, until, expect }, index): Seen[] => {
    const refused = until ? status[index] !== expect : failed[index] === 1;
    const answer = { atMs, kind, failed: refused, slowed: !refused && slow(kind, latencyMs[index]!) };
    if (!until) return [answer];
    const undecided = failed[index] === 1;
    const name = decidedKind(kind);
    return [
      answer,
      { atMs, kind: name, failed: undecided, slowed: !undecided && slow(name, decidedMs[index]!) },
    ];
  });
}

/** Requests that failed in any way: an order that was taken and never decided has failed its customer. */
function failedRequests(
  requests: readonly Planned[],
  { failed }: LoadResult,
  from: number,
  ms: number,
): number {
  return requests.filter(({ atMs }, index) => atMs >= from && atMs <= from + ms && failed[index] === 1)
    .length;
}

function isDecided(kind: string, requests: readonly Planned[]): boolean {
  return kind.endsWith(decidedKind('')) && !requests.some((one) => one.kind === kind);
}

function cellOf(kind: string, seen: readonly Seen[]): IsolationCell {
  const failed = seen.filter((one) => one.failed).length;
  const slowed = seen.filter((one) => one.slowed).length;
  const affected = seen.filter((one) => one.failed || one.slowed);
  return {
    kind,
    requests: seen.length,
    failed,
    slowed,
    failedShare: shareOf(failed, seen.length),
    slowedShare: shareOf(slowed, seen.length),
    harmedSeconds: affected.length === 0 ? 0 : (affected.at(-1)!.atMs - affected[0]!.atMs) / 1000,
  };
}

function timelineOf(seen: readonly Seen[], strikeMs: number, endMs: number): Fault['timeline'] {
  const steps: Fault['timeline'] = [];
  for (let from = strikeMs % STEP_MS; from + STEP_MS <= endMs; from += STEP_MS) {
    const some = seen.filter(({ atMs }) => atMs >= from && atMs < from + STEP_MS);
    steps.push({
      atSeconds: Math.round((from - strikeMs) / STEP_MS) * (STEP_MS / 1000),
      requests: some.length,
      failed: some.filter((one) => one.failed).length,
      slowed: some.filter((one) => one.slowed && !one.failed).length,
    });
  }
  return steps;
}

const shareOf = (some: number, all: number) => (all === 0 ? 0 : Math.min(1, some / all));
