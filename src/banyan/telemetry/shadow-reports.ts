// What hosts say of the shadows of a module, and what that comes to over all of them. Pure.

interface Part {
  readonly n: number;
  readonly bad: number;
}

/** Of one host, since the placement that began at `placedAt`. */
export interface ShadowReport {
  readonly placedAt: string;
  /** Answered and compared. */
  readonly mirrored: number;
  readonly differed: number;
  /** Chosen and not done, or in the way of others: nothing can be said of them. */
  readonly skipped: number;
  /** The service gave no answer. */
  readonly failed: number;
  /** The near side done twice, and how often it differed from itself. */
  readonly near: Part;
  /** Shadows that were judged, once the noise of their operation was known, and how many of them differed. */
  readonly far: Part;
  /** By operation the difference that came most often, in words. */
  readonly differences: Readonly<Record<string, string>>;
  /** `near` and `far` of each operation that differed; absent: the host is of the version before. */
  readonly operations?: Readonly<Record<string, { readonly near: Part; readonly far: Part }>>;
  /** How often each operation that was tried was compared, once its noise was known; absent: as above. */
  readonly judged?: Readonly<Record<string, number>>;
  /** Of the skipped ones how many for which reason; absent: as above. */
  readonly skips?: Readonly<Record<string, number>>;
  /** No operation can be compared before the near side did so many requests of it (`of`) twice; `pairs`: of the one that has most. */
  readonly learning?: { readonly pairs: number; readonly of: number };
  /** Why this host mirrors nothing at the moment. */
  readonly paused?: string;
}

export type ShadowReports = Readonly<Record<string, ShadowReport>>;

/** Over all hosts; what was counted under an earlier placement is left out. */
export function shadowSum(
  hosts: readonly { readonly shadows?: ShadowReports | undefined }[],
  module: string,
  placedAt: string,
): ShadowReport {
  const sum = { mirrored: 0, differed: 0, skipped: 0, failed: 0 };
  const [near, far] = [
    { n: 0, bad: 0 },
    { n: 0, bad: 0 },
  ];
  let differences: Record<string, string> = {};
  const operations: Record<string, { near: Part; far: Part }> = {};
  let judged: Record<string, number> | undefined = {};
  let skips: Record<string, number> | undefined = {};
  let learning: ShadowReport['learning'];
  let paused: string | undefined;
  for (const { shadows = {} } of hosts) {
    const one = Object.hasOwn(shadows, module) ? shadows[module]! : undefined;
    if (one?.placedAt !== placedAt) continue;
    for (const field of ['mirrored', 'differed', 'skipped', 'failed'] as const) sum[field] += one[field];
    for (const [total, part] of [
      [near, one.near],
      [far, one.far],
    ] as const) {
      total.n += part.n;
      total.bad += part.bad;
    }
    differences = { ...one.differences, ...differences };
    for (const [operation, parts] of Object.entries(one.operations ?? {})) {
      const before = Object.hasOwn(operations, operation) ? operations[operation]! : noParts;
      operations[operation] = { near: plus(before.near, parts.near), far: plus(before.far, parts.far) };
    }
    judged = judged && one.judged && added(judged, one.judged);
    skips = skips && one.skips && added(skips, one.skips);
    if (one.learning && one.learning.pairs >= (learning?.pairs ?? 0)) learning = one.learning;
    paused ??= one.paused;
  }
  const told = {
    ...(judged && { judged }),
    ...(skips && { skips }),
    ...(far.n === 0 && learning && { learning }),
  };
  const counts = { ...sum, near, far, differences, operations, ...told };
  return { placedAt, ...counts, ...(paused !== undefined && { paused }) };
}

function added(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>) {
  const sum: Record<string, number> = { ...one };
  for (const [name, n] of Object.entries(other)) sum[name] = (Object.hasOwn(sum, name) ? sum[name]! : 0) + n;
  return sum;
}

const noParts = { near: { n: 0, bad: 0 }, far: { n: 0, bad: 0 } };
const plus = (one: Part, other: Part): Part => ({ n: one.n + other.n, bad: one.bad + other.bad });
