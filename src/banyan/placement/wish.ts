// What may be wished for a module: a placement, and in `canary` which share of its requests the service gets. One rule
// for the admin API, PLACEMENTS and whatever else changes a flag. Pure.
import type { Placement } from '../routing/snapshot.ts';

export interface Wish {
  readonly placement: Placement;
  /** Needed in `canary`, 1 to 99; elsewhere it may say what the placement says, 0 or 100. */
  readonly percent?: number | undefined;
}

/** As it is stored: the percent is the truth of which requests go where. */
export interface Placed {
  readonly placement: Placement;
  readonly percent: number;
}

const WHOLE: Readonly<Record<string, number>> = { 'in-process': 0, service: 100 };

/** What is stored for a wish; or, as a sentence, what to wish instead. */
export function placedBy({ placement, percent }: Wish): Placed | string {
  const whole = WHOLE[placement];
  if (whole !== undefined)
    return percent === undefined || percent === whole
      ? { placement, percent: whole }
      : `${placement} is ${whole} percent of the requests. Leave percent out, or use the placement canary for a share`;
  if (percent === undefined)
    return 'canary needs a percent: a whole number from 1 to 99, the share of the requests that the service gets';
  if (!Number.isInteger(percent) || percent < 1 || percent > 99)
    return 'In canary percent is a whole number from 1 to 99. For none of the requests use in-process, for all service';
  return { placement, percent };
}

/** For people and logs: `service`, `canary 10 %`. */
export const inWords = ({ placement, percent }: Placed) =>
  placement === 'canary' ? `canary ${percent} %` : placement;
