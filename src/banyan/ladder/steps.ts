// A ladder as a pure machine: where it stands, what happens, where it stands then, and what is to be placed. Only a
// positive verdict moves it up by itself; a negative one brings it down, also while it is paused, also after its end, as
// long as nobody has placed the module since.
// It has no clock, no rows and no module: whoever holds the lease stores what it answers and does what it says.
import type { Frozen, Judgement } from './judgement.ts';
import { hasNearSide, type Policy, percentOf, type Rung } from './rungs.ts';

export type LadderState = 'none' | 'running' | 'paused' | 'done' | 'demoted' | 'stopped';

/** A ladder that was begun, as plain data. */
export interface Climb {
  readonly state: Exclude<LadderState, 'none'>;
  readonly policy: Policy;
  readonly rung: Rung;
  /** When it came to this rung, in milliseconds: what is counted for it begins here. */
  readonly rungSince: number;
  /** Since when it runs on this rung without a pause: `maxSeconds` count from here. */
  readonly runningSince: number;
  /** The rung is good, and a person is waited for. */
  readonly ready: boolean;
  /** Why it is where it is. */
  readonly reason: string;
  /** Paused because no verdict came in time, and not by a person. */
  readonly starved: boolean;
  /** The near side of the last rung that had one. */
  readonly frozen: Frozen;
}

/** A placement that follows; `background` says whether background work is to be there too. */
export interface Act {
  readonly placement: 'in-process' | 'shadow' | 'canary' | 'service';
  readonly percent: number;
  readonly background: boolean;
  readonly actor: 'operator' | 'judge';
  readonly by: string;
  readonly reason: string;
}

export type Happening =
  | {
      readonly on: 'judged';
      readonly judgement: Judgement;
      /** Whether there is somebody who could take the module back. */
      readonly wayBack: boolean;
      /** What the next rung waits for besides evidence: a host that lags, a contract that does not fit. */
      readonly hold?: string;
    }
  | {
      readonly on: 'promote';
      readonly by: string;
      readonly reason: string;
      /** As the last judgement had it. */
      readonly near: Frozen;
    }
  | {
      readonly on: 'pause' | 'resume' | 'demote' | 'stop';
      readonly by: string;
      readonly reason?: string;
    }
  /** A person placed the module. */
  | { readonly on: 'placed'; readonly by: string; readonly placement: string; readonly percent: number };

export interface Move {
  readonly climb: Climb;
  readonly act?: Act;
}

export interface Refused {
  readonly refused: string;
}

const JUDGE = 'judge';

/** The first rung is the first that takes nobody from the service who is there already. */
export function begin(
  policy: Policy,
  { placement, percent }: { readonly placement: string; readonly percent: number },
  by: string,
  now: number,
): Move | Refused {
  if (percent >= 100)
    return {
      refused: `the service has all requests already, so there is nothing to compare it with; place it in-process first`,
    };
  const rung = policy.rungs.find((one) => percentOf(one) >= percent);
  if (rung === undefined)
    return {
      refused: `the service has ${percent} % of the requests already, more than the last step; name a higher one, or place it at less`,
    };
  const climb: Climb = {
    state: 'running',
    policy,
    rung,
    rungSince: now,
    runningSince: now,
    ready: false,
    reason: `begun by ${by} at ${rungInWords(rung)}`,
    starved: false,
    frozen: {},
  };
  const there = rung === 'shadow' ? placement === 'shadow' : percentOf(rung) === percent;
  return there ? { climb } : { climb, act: actFor(rung, 'operator', by, climb.reason) };
}

export function next(climb: Climb, happening: Happening, now: number): Move | Refused {
  switch (happening.on) {
    case 'judged':
      return judged(climb, happening, now);
    case 'placed': {
      if (!isWatched(climb)) return { climb };
      const { by, placement, percent } = happening;
      const where = placement === 'canary' ? `canary at ${percent} %` : placement;
      return { climb: ended(climb, 'stopped', `${by} placed it ${where}; a person's placement stands`) };
    }
    case 'stop':
      if (!isOpen(climb)) return refusal(climb, 'stopped');
      return { climb: ended(climb, 'stopped', said('stopped', happening)) };
    case 'pause':
      if (climb.state !== 'running') return refusal(climb, 'paused');
      return { climb: { ...climb, state: 'paused', starved: false, reason: said('paused', happening) } };
    case 'resume':
      if (climb.state !== 'paused') return refusal(climb, 'resumed');
      return {
        climb: {
          ...climb,
          state: 'running',
          starved: false,
          runningSince: now,
          reason: said('resumed', happening),
        },
      };
    case 'promote':
      if (!isOpen(climb)) return refusal(climb, 'promoted');
      return up(climb, happening.near, 'operator', happening.by, said('promoted', happening), now);
    case 'demote':
      if (!isWatched(climb)) return refusal(climb, 'demoted');
      return down(climb, 'operator', happening.by, said('demoted', happening));
  }
}

/** Whether it still climbs. */
export const isOpen = ({ state }: Climb): boolean => state === 'running' || state === 'paused';

/** Whether a bad verdict brings it down: while it climbs, and where it ended well. */
export const isWatched = (climb: Climb): boolean => isOpen(climb) || climb.state === 'done';

function judged(
  climb: Climb,
  { judgement, wayBack, hold }: Extract<Happening, { on: 'judged' }>,
  now: number,
): Move {
  const { verdict, reason, near } = judgement;
  if (!isWatched(climb)) return { climb };
  if (verdict === 'bad') {
    if (wayBack) return down(climb, 'judge', JUDGE, reason);
    return { climb: { ...climb, ready: false, reason: `${reason}; no monolith is there to take it back` } };
  }
  if (climb.state !== 'running') return { climb };
  if (verdict === 'good') {
    if (hold !== undefined) return { climb: { ...climb, reason: `good, and waits: ${hold}` } };
    if (!climb.policy.confirm) return up(climb, near, 'judge', JUDGE, reason, now);
    return { climb: { ...climb, ready: true, reason: `${reason}; waits for \`banyan ladder promote\`` } };
  }
  const seconds = (now - climb.runningSince) / 1000;
  if (seconds < climb.policy.maxSeconds) return { climb: { ...climb, ready: false, reason } };
  const why = `no verdict at ${rungInWords(climb.rung)} after ${Math.floor(seconds)} s: ${reason}`;
  return { climb: { ...climb, state: 'paused', starved: true, ready: false, reason: why } };
}

function up(climb: Climb, near: Frozen, actor: Act['actor'], by: string, reason: string, now: number): Move {
  const { rungs } = climb.policy;
  const rung = rungs[rungs.indexOf(climb.rung) + 1];
  const frozen = hasNearSide(climb.rung) ? { ...climb.frozen, ...near } : climb.frozen;
  if (rung === undefined) return { climb: { ...ended(climb, 'done', reason), frozen } };
  const state = 'running';
  const onIt = { rung, rungSince: now, runningSince: now, ready: false, starved: false };
  return { climb: { ...climb, ...onIt, state, reason, frozen }, act: actFor(rung, actor, by, reason) };
}

function down(climb: Climb, actor: Act['actor'], by: string, reason: string): Move {
  const act: Act = { placement: 'in-process', percent: 0, background: false, actor, by, reason };
  return { climb: ended(climb, 'demoted', reason), act };
}

function ended(climb: Climb, state: 'done' | 'demoted' | 'stopped', reason: string): Climb {
  return { ...climb, state, reason, ready: false, starved: false };
}

function actFor(rung: Rung, actor: Act['actor'], by: string, reason: string): Act {
  const percent = percentOf(rung);
  const placement = rung === 'shadow' ? 'shadow' : percent === 100 ? 'service' : 'canary';
  return { placement, percent, background: rung === 'background', actor, by, reason };
}

function refusal({ state, reason }: Climb, what: string): Refused {
  return { refused: `a ladder that is ${state} cannot be ${what} (${reason})` };
}

const said = (what: string, { by, reason }: { readonly by: string; readonly reason?: string }) =>
  `${what} by ${by}${reason ? `: ${reason}` : ''}`;

/** `shadow`, `10 %`, `background`. */
export function rungInWords(rung: Rung): string {
  return /^\d/.test(rung) ? `${rung} %` : rung;
}
