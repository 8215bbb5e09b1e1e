// The rungs of a ladder, and the policy by which one is climbed: which rungs, up to where, and how much has to be seen
// on each. What a person asks for becomes a policy here, or a complaint that says what to ask for instead.
// It knows no module, places nothing and reads no clock.

/**
 * `shadow` answers nobody, a number is the percent of requests that the service gets, and `background` is all of them
 * with consumers, relay and jobs too.
 */
export type Rung = 'shadow' | `${number}` | 'background';

export interface Policy {
  /** As they are climbed. */
  readonly rungs: readonly Rung[];
  /** So long a rung takes at least, and so many requests of the far side. */
  readonly minSeconds: number;
  readonly minRequests: number;
  /** A rung that has no verdict by then is paused. */
  readonly maxSeconds: number;
  /** Every rung is left by a person's word alone. */
  readonly confirm: boolean;
}

/** What a person asks for; what is left out is as advised. */
export interface PolicyWish {
  readonly steps?: readonly (string | number)[];
  /** The last rung to climb: one of the steps. */
  readonly until?: string | number;
  readonly minSeconds?: number;
  readonly minRequests?: number;
  readonly maxSeconds?: number;
  readonly confirm?: boolean;
}

export const ADVISED = {
  steps: ['shadow', '1', '10', '50', '100'],
  minSeconds: 120,
  minRequests: 300,
  maxSeconds: 3600,
} as const;

/** The percent of requests that the far side answers on this rung. */
export function percentOf(rung: Rung): number {
  if (rung === 'shadow') return 0;
  return rung === 'background' ? 100 : Number(rung);
}

/** Whether the near side answers requests on it: only then are both compared in the same seconds. */
export function hasNearSide(rung: Rung): boolean {
  return percentOf(rung) < 100;
}

export function policyOf(wish: PolicyWish): Policy | { readonly complaint: string } {
  const rungs = rungsOf(wish);
  if (typeof rungs === 'string') return { complaint: rungs };
  const { minSeconds = ADVISED.minSeconds, minRequests = ADVISED.minRequests, confirm = false } = wish;
  const maxSeconds = wish.maxSeconds ?? Math.max(ADVISED.maxSeconds, 2 * minSeconds);
  for (const [name, value] of Object.entries({ minSeconds, minRequests, maxSeconds }))
    if (!Number.isFinite(value) || value < 1)
      return { complaint: `${name} is ${value}: give a number from 1` };
  if (maxSeconds < minSeconds)
    return {
      complaint: `no rung can be left: maxSeconds (${maxSeconds}, --max-seconds) is less than minSeconds (${minSeconds}, --min-seconds); give more`,
    };
  return { rungs, minSeconds, minRequests, maxSeconds, confirm };
}

/** What people are told of a policy that asks for less than is advised; undefined where it does not. */
export function weakness({ minSeconds, minRequests }: Policy): string | undefined {
  const less = [
    ...(minRequests < ADVISED.minRequests
      ? [`${minRequests} ${minRequests === 1 ? 'request' : 'requests'} instead of ${ADVISED.minRequests}`]
      : []),
    ...(minSeconds < ADVISED.minSeconds ? [`${minSeconds} s instead of ${ADVISED.minSeconds} s`] : []),
  ];
  return less.length > 0 ? `weaker than advised: a rung is left after ${less.join(' and ')}` : undefined;
}

/** The rungs, or a complaint. */
function rungsOf({ steps = ADVISED.steps, until }: PolicyWish): readonly Rung[] | string {
  const named = steps.map(String);
  const form = 'rising percents from 1 to 100, `shadow` first if at all, for example shadow,1,10,50,100';
  if (named.length === 0) return `there are no steps; give ${form}`;
  let before = -1;
  for (const name of named) {
    const percent = name === 'shadow' ? 0 : /^[1-9]\d{0,2}$/.test(name) ? Number(name) : Number.NaN;
    if (!(percent <= 100)) return `the step "${name.slice(0, 40)}" is none; give ${form}`;
    if (percent <= before) return `the steps ${named.join(',')} do not rise at "${name}"; give ${form}`;
    before = percent;
  }
  if (named[0] === '100')
    return 'before 100 there is no step at which both sides could be compared; give one, for example 10,100';
  const rungs = named as Rung[];
  if (until === undefined || until === 'background') {
    if (rungs.at(-1) === '100') return [...rungs, 'background'];
    if (until === undefined) return rungs;
    return `background follows 100, which is not among the steps ${named.join(',')}; add it`;
  }
  const last = named.indexOf(String(until));
  if (last < 0)
    return `until ${String(until).slice(0, 40)}: it is not among the steps ${named.join(',')}; name one of them`;
  return rungs.slice(0, last + 1);
}
