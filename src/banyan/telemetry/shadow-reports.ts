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
    paused ??= one.paused;
  }
  return { placedAt, ...sum, near, far, differences, ...(paused !== undefined && { paused }) };
}
