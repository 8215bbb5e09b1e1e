// How long to wait before the next try: the first wait, doubled with every failure, up to the longest.
// It keeps no count and no timer: whoever tries knows how often it failed.

export interface Waits {
  readonly firstMs: number;
  readonly longestMs: number;
  /** A share of the wait between these two, by chance, so that many who failed together do not return in step. */
  readonly between?: readonly [least: number, most: number];
}

/** The wait after so many failures in a row, from 1. */
export function waitAfter(failures: number, { firstMs, longestMs, between = [1, 1] }: Waits): number {
  const [least, most] = between;
  return Math.min(firstMs * 2 ** (failures - 1), longestMs) * (least + Math.random() * (most - least));
}
