// Ladders climbed by dice: requests by the second, of two sides whose true rates are known, given to the judge and the
// machine as a host would give them. With a seed it is always the same; the sizes are the caller's, so that `npm test` runs
// a few and a rehearsal many.

import { begin, type Climb, isTimeOver, next } from '../climb/steps.ts';
import { noAccount, type Second, type Tally, withSecond } from '../judge/account.ts';
import { judge } from '../judge/judge.ts';
import { type Policy, type PolicyWish, percentOf, policyOf, type Rung } from '../judge/rungs.ts';

export interface Truth {
  /** Of all requests, on the near side and on the far one. */
  readonly near: number;
  readonly far: number;
  /** `apart`: all errors of a side lie in 5 % of the seconds, other ones on each side; `together`: in the same ones. */
  readonly bursts?: 'apart' | 'together';
  /** So long a burst lasts, in seconds. */
  readonly burstSeconds?: number;
  /** Slow ones of either side. */
  readonly slow?: number;
  readonly slowFar?: number;
}

export interface Sizes {
  readonly runs: number;
  readonly seed: number;
  readonly perSecond?: number;
  readonly wish?: PolicyWish;
}

export interface Outcomes {
  readonly promoted: number;
  readonly demoted: number;
  readonly paused: number;
  /** Of those that were demoted, by rung. */
  readonly at: Readonly<Partial<Record<Rung, number>>>;
  /** Requests of the far side and seconds that a ladder took, in the middle. */
  readonly farRequests: number;
  readonly seconds: number;
}

/** Whole ladders, from the first rung to the end, to demotion, or to a pause for want of traffic. */
export function climbed(truth: Truth, { runs, seed, perSecond = 50, wish = {} }: Sizes): Outcomes {
  const policy = policyOf({ steps: [1, 10, 50, 100], ...wish });
  if ('complaint' in policy) throw new Error(policy.complaint);
  const dice = diceOf(seed);
  const all = Array.from({ length: runs }, () => climb(truth, policy, perSecond, dice));
  const share = (state: Climb['state']) => all.filter((one) => one.state === state).length / runs;
  const at: Partial<Record<Rung, number>> = {};
  for (const { state, rung } of all) if (state === 'demoted') at[rung] = (at[rung] ?? 0) + 1 / runs;
  const middle = (of: (one: Climbed) => number) => all.map(of).sort((a, b) => a - b)[Math.floor(runs / 2)]!;
  return {
    promoted: share('done'),
    demoted: share('demoted'),
    paused: share('paused'),
    at,
    farRequests: middle((one) => one.farRequests),
    seconds: middle((one) => one.seconds),
  };
}

/** What is climbed in a rehearsal: whether the far side is to get to the end, and what is true of it. */
export const TRUTHS: readonly { readonly name: string; readonly good: boolean; readonly truth: Truth }[] = [
  { name: 'never fails', good: true, truth: { near: 0, far: 0 } },
  { name: 'both fail in 0.2 %', good: true, truth: { near: 0.002, far: 0.002 } },
  { name: 'both fail in 0.2 %, in bursts', good: true, truth: { near: 0.002, far: 0.002, bursts: 'apart' } },
  { name: 'both fail in 2 %', good: true, truth: { near: 0.02, far: 0.02 } },
  {
    name: 'both fail in 2 %, in shared bursts',
    good: true,
    truth: { near: 0.02, far: 0.02, bursts: 'together' },
  },
  { name: 'both fail in 2 %, in bursts', good: true, truth: { near: 0.02, far: 0.02, bursts: 'apart' } },
  { name: '1 % against 0', good: false, truth: { near: 0, far: 0.01 } },
  { name: '1 % against 0, in bursts', good: false, truth: { near: 0, far: 0.01, bursts: 'apart' } },
  {
    name: '1 % against 0, in bursts of 5 s',
    good: false,
    truth: { near: 0, far: 0.01, bursts: 'apart', burstSeconds: 5 },
  },
  { name: '3 % against 2 %', good: false, truth: { near: 0.02, far: 0.03 } },
  { name: '3 % against 2 %, in bursts', good: false, truth: { near: 0.02, far: 0.03, bursts: 'apart' } },
  { name: '5 % against 0', good: false, truth: { near: 0, far: 0.05 } },
  { name: '3 % slow against 1 %', good: false, truth: { near: 0, far: 0, slowFar: 0.03 } },
  { name: '8 % slow against 1 %', good: false, truth: { near: 0, far: 0, slowFar: 0.08 } },
];

interface Climbed {
  readonly state: Climb['state'];
  readonly rung: Rung;
  readonly farRequests: number;
  readonly seconds: number;
}

function climb(truth: Truth, policy: Policy, perSecond: number, dice: Dice): Climbed {
  const begun = begin(policy, { placement: 'in-process', percent: 0 }, 'dice', 0);
  if ('refused' in begun) throw new Error(begun.refused);
  let one = begun.climb;
  let account = noAccount;
  let at = 0;
  let farRequests = 0;
  const seconds = secondsOf(truth, perSecond, dice);
  while (one.state === 'running') {
    const second = seconds(at, percentOf(one.rung) / 100);
    farRequests += second.far.n;
    account = withSecond(account, second);
    at += 1;
    const last = isTimeOver(one, at * 1000);
    const judgement = judge({ rung: one.rung, policy, account, frozen: one.frozen, last });
    const move = next(one, { on: 'judged', judgement, wayBack: true }, at * 1000);
    if ('refused' in move) throw new Error(move.refused);
    if (move.climb.rung !== one.rung) account = noAccount;
    one = move.climb;
  }
  return { state: one.state, rung: one.rung, farRequests, seconds: at };
}

const BURSTING = 0.05;

/** What happens in a second, at a share of requests for the far side. */
export function secondsOf(truth: Truth, perSecond: number, dice: Dice) {
  const { bursts, burstSeconds = 1, slow = 0.01, slowFar = slow } = truth;
  let shared = false;
  let [nearBursts, farBursts] = [false, false];
  const rate = (mean: number, bursting: boolean) => (bursts ? (bursting ? mean / BURSTING : 0) : mean);
  return (at: number, share: number): Second => {
    if (at % burstSeconds === 0) {
      shared = dice.yes(BURSTING);
      nearBursts = bursts === 'together' ? shared : dice.yes(BURSTING);
      farBursts = bursts === 'together' ? shared : dice.yes(BURSTING);
    }
    const n = dice.ofMany(2 * perSecond, 0.5);
    const far = dice.ofMany(n, share);
    const tally = (of: number, bad: number, late: number): Tally => ({
      n: of,
      bad: dice.ofMany(of, bad),
      slow: dice.ofMany(of, late),
    });
    return {
      at,
      near: tally(n - far, rate(truth.near, nearBursts), slow),
      far: tally(far, rate(truth.far, farBursts), slowFar),
    };
  };
}

export interface Dice {
  yes(chance: number): boolean;
  /** How many of `n` come true. */
  ofMany(n: number, chance: number): number;
}

/** Mulberry32: the same seed, the same throws. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  const throwOne = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const bell = () => Math.sqrt(-2 * Math.log(1 - throwOne())) * Math.cos(2 * Math.PI * throwOne());
  const yes = (chance: number) => throwOne() < chance;
  /** Many by the normal curve; few from one that comes true to the next, a throw for each that does. */
  const ofMany = (n: number, chance: number): number => {
    if (chance <= 0) return 0;
    if (chance > 0.5) return n - ofMany(n, 1 - chance);
    const variance = n * chance * (1 - chance);
    if (variance > 20) return Math.min(n, Math.max(0, Math.round(n * chance + Math.sqrt(variance) * bell())));
    const scale = 1 / Math.log1p(-chance);
    let found = 0;
    for (let i = Math.floor(Math.log(1 - throwOne()) * scale); i < n; found += 1)
      i += 1 + Math.floor(Math.log(1 - throwOne()) * scale);
    return found;
  };
  return { yes, ofMany };
}
