// What the hosts counted of an operation, each request by the host that decided its side, held against what was asked.
// It is how the side of a ref is seen, and that what was decided is what answered. A counter may be a moment late.
import { setTimeout as pause } from 'node:timers/promises';
import { type Collected, sumBetween } from '../../../src/banyan/telemetry/stats-sums.ts';
import type { SharedModule } from './expected.ts';
import type { Findings } from './findings.ts';
import type { RehearsedShop } from './stage.ts';

export interface Wanted {
  readonly module: SharedModule;
  readonly operation: string;
  /** On the service's side. */
  readonly least: number;
  readonly most: number;
  readonly of: number;
}

export interface Count {
  /** On the service's side. */
  readonly inside: number;
  readonly of: number;
}

const WITHIN_MS = 5_000;

/** @param when for people. */
export async function countedAs(
  shop: RehearsedShop,
  before: Collected,
  { module, operation, least, most, of: all }: Wanted,
  found: Findings,
  when: string,
): Promise<Count> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const sides = sumBetween(before, await shop.counted())[module];
    const inside = sides?.service?.[operation]?.count ?? 0;
    const of = inside + (sides?.['in-process']?.[operation]?.count ?? 0);
    if (of === all && inside >= least && inside <= most) return { inside, of };
    if (performance.now() > deadline) {
      const right = least === most ? least : `${least} to ${most}`;
      found.add(
        'counted on another side',
        `${when} ${module}.${operation} ${inside} of ${of} in the share, and not ${right} of ${all}`,
      );
      return { inside, of };
    }
    await pause(20);
  }
}
