// What may be wished for a module: a placement, in `canary` which share of its requests the service gets, and in `shadow` and
// `canary` how much of the rest it is asked as well. One rule for the admin API, PLACEMENTS and whatever else changes a
// flag. Pure.
import type { Mirror, Placement } from '../routing/snapshot.ts';

export interface Wish {
  readonly placement: Placement;
  /** Needed in `canary`, 1 to 99; elsewhere it may say what the placement says, 0 or 100. */
  readonly percent?: number | undefined;
  /** In `shadow` and `canary`; elsewhere it may say that nothing is, 0. What it leaves out is the default in `shadow`, and nothing in `canary`. */
  readonly mirror?: Partial<Mirror> | undefined;
}

/** As it is stored: the percent is the truth of which requests go where. */
export interface Placed {
  readonly placement: Placement;
  readonly percent: number;
  /** Absent: nothing is mirrored. */
  readonly mirror?: Mirror;
}

const WHOLE: Readonly<Record<string, number>> = { 'in-process': 0, shadow: 0, service: 100 };

/** In `shadow`: reads cost the service alone, a write costs its client the wait. */
export const SHADOW_MIRROR: Mirror = { reads: 100, writes: 5 };

/** What is stored for a wish; or, as a sentence, what to wish instead. */
export function placedBy({ placement, percent, mirror }: Wish): Placed | string {
  const share = shareOf(placement, percent);
  if (typeof share === 'string') return share;
  const mirrored = mirrorOf(placement, mirror);
  if (typeof mirrored === 'string') return mirrored;
  return { placement, percent: share, ...(mirrored && { mirror: mirrored }) };
}

function shareOf(placement: Placement, percent: number | undefined): number | string {
  const whole = WHOLE[placement];
  if (whole !== undefined)
    return percent === undefined || percent === whole
      ? whole
      : `${placement} is ${whole} percent of the requests. Leave percent out, or use the placement canary for a share`;
  if (percent === undefined)
    return 'canary needs a percent: a whole number from 1 to 99, the share of the requests that the service gets';
  if (!Number.isInteger(percent) || percent < 1 || percent > 99)
    return 'In canary percent is a whole number from 1 to 99. For none of the requests use in-process, for all service';
  return percent;
}

function mirrorOf(placement: Placement, mirror: Partial<Mirror> | undefined): Mirror | string | undefined {
  if (placement !== 'shadow' && placement !== 'canary')
    return Object.values(mirror ?? {}).every((share) => share === 0)
      ? undefined
      : `Nothing is mirrored in ${placement}. Leave mirror out, or use the placement shadow or canary`;
  if (mirror === undefined && placement === 'canary') return undefined;
  const { reads, writes, first } = {
    ...(placement === 'shadow' ? SHADOW_MIRROR : { reads: 0, writes: 0 }),
    ...mirror,
  } as Mirror;
  for (const [name, share] of Object.entries({ reads, writes }))
    if (!Number.isInteger(share) || share < 0 || share > 100)
      return `mirror.${name} is a whole number from 0 to 100, the percent of them that the service is asked as well`;
  const firsts = first === undefined ? {} : { first };
  return reads + writes > 0 || placement === 'shadow' ? { reads, writes, ...firsts } : undefined;
}

/**
 * A row as what is placed. A host of the version before changes the placement and leaves the mirror as it was: it says
 * something in `shadow` and `canary` alone.
 */
export function placedIn(
  row: Pick<Placed, 'placement' | 'percent'> & { readonly mirror: Mirror | null },
): Placed {
  const { placement, percent, mirror } = row;
  const mirrors = mirror !== null && (placement === 'shadow' || placement === 'canary');
  return { placement, percent, ...(mirrors && { mirror }) };
}

/** Whether it is of use only where a process of the module is healthy. */
export const needsService = ({ placement }: Pick<Placed, 'placement'>): boolean => placement !== 'in-process';

/** The word that hosts have to know for it: what mirrors is as new as `shadow`. */
export const wordFor = ({ placement, mirror }: Placed): Placement => (mirror ? 'shadow' : placement);

/** Whether nothing would change. */
export const isSame = (one: Placed, other: Placed): boolean =>
  one.placement === other.placement &&
  one.percent === other.percent &&
  one.mirror?.reads === other.mirror?.reads &&
  one.mirror?.writes === other.mirror?.writes &&
  one.mirror?.first === other.mirror?.first;

/** For people and logs: `service`, `canary 10 %`, `shadow, mirrors 100 % of reads and 5 % of writes`. */
export const inWords = ({ placement, percent, mirror }: Placed) =>
  (placement === 'canary' ? `canary ${percent} %` : placement) +
  (mirror ? `, mirrors ${mirror.reads} % of reads and ${mirror.writes} % of writes` : '');
