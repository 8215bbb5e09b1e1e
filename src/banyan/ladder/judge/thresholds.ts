// When a request is slow: beyond what nearly all of its operation took on the near side, half as much again, and a hop. It
// goes by counts of durations, and by nothing finer than their edges. Pure.
import { EDGES, FINE_EDGES } from '../../telemetry/edges.ts';

/** By operation the duration beyond which a request is slow, in seconds: one of FINE_EDGES. Plain data, to be stored as JSON. */
export type Thresholds = Readonly<Record<string, number>>;

/** So many of the near side must be seen before its operation has a threshold. */
const LEAST_SEEN = 100;

/** Which share of the near side is slow by itself, and how much slower the far side may be: it has one hop more. */
const QUANTILE = 0.95;
const FACTOR = 1.5;
const HOP_SECONDS = 0.005;

/** Until the near side has shown what it takes. */
const UNKNOWN_SECONDS = 0.5;

/** The first edge beyond what nearly all take, half as much again and a hop. Undefined: too few were seen. */
export function thresholdOf(
  seen: readonly { readonly watched: number; readonly parts: readonly number[] }[],
): number | undefined {
  const watched = seen.reduce((sum, one) => sum + one.watched, 0);
  if (watched < LEAST_SEEN) return undefined;
  const parts = FINE_EDGES.map((_, at) => seen.reduce((sum, one) => sum + (one.parts[at] ?? 0), 0));
  let rest = QUANTILE * watched;
  let at = 0;
  while (at < parts.length && rest > parts[at]!) rest -= parts[at++]!;
  if (at === parts.length) return EDGES.at(-1)!;
  const below = at === 0 ? 0 : FINE_EDGES[at - 1]!;
  const usual = below + ((FINE_EDGES[at]! - below) * rest) / Math.max(1, parts[at]!);
  return FINE_EDGES.find((edge) => edge >= FACTOR * usual + HOP_SECONDS) ?? EDGES.at(-1)!;
}

/** How many of them took longer. */
export function slowerThan(seconds: number = UNKNOWN_SECONDS, parts: readonly number[], of: number): number {
  const edge = FINE_EDGES.findIndex((one) => one >= seconds);
  return of - parts.slice(0, edge + 1).reduce((sum, n) => sum + n, 0);
}

/** From the number of an edge, as the version before stored it, by operation. */
export function earlierThresholds(numbers: Readonly<Record<string, number>> = {}): Thresholds {
  return Object.fromEntries(Object.entries(numbers).map(([operation, at]) => [operation, EDGES[at] ?? 15]));
}
