// Latencies of two arms that were measured in turns, held against each other: quantiles over all that an arm saw, and how
// far their ratio would move had other rounds been drawn (a bootstrap over rounds, as requests of one round are not
// independent). Plain numbers; what the arms are it does not know.

/** Milliseconds. */
export type Latencies = readonly number[];

const DRAWS = 1_000;

export function quantile(latencies: Latencies, part: number): number {
  const sorted = Float64Array.from(latencies).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}

export interface Beside {
  readonly ratio: number;
  /** Of 95 in 100 draws. */
  readonly from: number;
  readonly to: number;
}

/** The quantile of all of `some` over that of all of `base`; one of each is a round. */
export function beside(base: readonly Latencies[], some: readonly Latencies[], part: number): Beside {
  const of = (rounds: readonly number[]) => union(some, rounds, part) / union(base, rounds, part);
  const every = base.map((_, at) => at);
  const draws = Array.from({ length: DRAWS }, () =>
    of(every.map(() => Math.floor(Math.random() * base.length))),
  ).sort((a, b) => a - b);
  return { ratio: of(every), from: draws[Math.floor(0.025 * DRAWS)]!, to: draws[Math.floor(0.975 * DRAWS)]! };
}

function union(arm: readonly Latencies[], rounds: readonly number[], part: number): number {
  return quantile(
    rounds.flatMap((at) => arm[at]!),
    part,
  );
}
