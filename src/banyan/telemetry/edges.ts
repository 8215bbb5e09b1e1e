// How long requests took, as counts: the edges of the buckets that everybody sees under /metrics, and the parts of each
// bucket, fine enough to tell 20 ms more from none. One host counts, another compares: both have the edges from here.

/** Upper edges of the latency buckets, in seconds; those of every histogram under /metrics. */
export const EDGES = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15] as const;

/** Each bucket has so many parts, equally wide. */
export const PARTS = 4;

const lower = (bucket: number): number => (bucket === 0 ? 0 : EDGES[bucket - 1]!);

/** Upper edges of the parts, in seconds. */
export const FINE_EDGES: readonly number[] = EDGES.flatMap((edge, bucket) =>
  Array.from({ length: PARTS }, (_, part) =>
    part === PARTS - 1 ? edge : lower(bucket) + ((edge - lower(bucket)) * (part + 1)) / PARTS,
  ),
);

const perSecond = EDGES.map((edge, bucket) => PARTS / (edge - lower(bucket)));

/** The part of that bucket which has this duration in it, by its number in FINE_EDGES. */
export function partOf(bucket: number, seconds: number): number {
  const part = Math.ceil((seconds - lower(bucket)) * perSecond[bucket]!) - 1;
  return bucket * PARTS + Math.min(PARTS - 1, Math.max(0, part));
}

/** By parts what was counted; of a host of another version, which may have buckets alone, each is as quick as it may be. */
export function partsOf({
  parts,
  buckets,
}: {
  readonly parts?: readonly number[];
  readonly buckets: readonly number[];
}): readonly number[] {
  if (parts?.length === FINE_EDGES.length) return parts;
  return buckets.flatMap((n) => [n, ...Array<number>(PARTS - 1).fill(0)]);
}
