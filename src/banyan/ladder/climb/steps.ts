// A ladder as a pure machine: where it stands, what happens, where it stands then, and what is to be placed. Only a
// positive verdict moves it up by itself; a negative one brings it down, also while it is paused, also after its end, as
// long as nobody has placed the module since.
// It has no clock, no rows and no module: whoever holds the lease stores what it answers and does what it says.
import type { Frozen, Judgement } from '../judge/judgement.ts';
import { hasNearSide, type Policy, percentOf, type Rung } from '../judge/rungs.ts';

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
  /** Operations that its shadows said nothing of, when it left them. */
  readonly unjudged?: readonly string[];
  /** Rungs that it left by a person's word, whatever the evidence. */
  readonly promoted?: readonly { readonly rung: Rung; readonly reason: string }[];
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
      /** As the shadows have it now. */
      readonly unjudged?: readonly string[];
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

/** Begins on the first rung whose share is at least the present one: nobody whom the service serves is moved back. */
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
    // Rungs below the present share are left out.
    policy: { ...policy, rungs: policy.rungs.slice(policy.rungs.indexOf(rung)) },
    rung,
    rungSince: now,
    runningSince: now,
    ready: false,
    reason: `begun by ${by}, ${placeInWords(rung)}`,
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
    case 'promote': {
      if (!isOpen(climb)) return refusal(climb, 'promoted');
      const reason = said('promoted', happening);
      // Only a rung that was not yet found good is noted as left without evidence.
      const promoted = [...(climb.promoted ?? []), { rung: climb.rung, reason }];
      const from = climb.ready ? climb : { ...climb, promoted };
      return up(from, happening, 'operator', happening.by, reason, now);
    }
    case 'demote':
      if (!isWatched(climb)) return refusal(climb, 'demoted');
      return down(climb, 'operator', happening.by, said('demoted', happening));
  }
}

/** Whether it still climbs. */
export const isOpen = ({ state }: Climb): boolean => state === 'running' || state === 'paused';

/** Whether a bad verdict brings it down: while it climbs, and where it ended well. */
export const isWatched = (climb: Climb): boolean => isOpen(climb) || climb.state === 'done';

/** Whether it pauses where the next judgement is open. */
export const isTimeOver = ({ policy, runningSince }: Climb, now: number): boolean =>
  now - runningSince >= policy.maxSeconds * 1000;

function judged(
  climb: Climb,
  { judgement, wayBack, hold }: Extract<Happening, { on: 'judged' }>,
  now: number,
): Move {
  const { verdict, reason } = judgement;
  if (!isWatched(climb)) return { climb };
  if (verdict === 'bad') {
    if (wayBack) return down(climb, 'judge', JUDGE, reason);
    return { climb: { ...climb, ready: false, reason: `${reason}; no monolith is there to take it back` } };
  }
  if (climb.state !== 'running') return { climb };
  if (verdict === 'good') {
    if (hold !== undefined) return { climb: { ...climb, reason: `good, and waits: ${hold}` } };
    if (!climb.policy.confirm) return up(climb, judgement, 'judge', JUDGE, reason, now);
    return { climb: { ...climb, ready: true, reason: `${reason}; waits for \`banyan ladder promote\`` } };
  }
  if (!isTimeOver(climb, now)) return { climb: { ...climb, ready: false, reason } };
  const seconds = (now - climb.runningSince) / 1000;
  const why = `no verdict ${placeInWords(climb.rung)} after ${Math.floor(seconds)} s: ${reason}`;
  return { climb: { ...climb, state: 'paused', starved: true, ready: false, reason: why } };
}

function up(
  climb: Climb,
  { near, unjudged = [] }: Pick<Judgement, 'near' | 'unjudged'>,
  actor: Act['actor'],
  by: string,
  reason: string,
  now: number,
): Move {
  const { rungs } = climb.policy;
  const rung = rungs[rungs.indexOf(climb.rung) + 1];
  const frozen = hasNearSide(climb.rung) ? { ...climb.frozen, ...near } : climb.frozen;
  const left = climb.rung === 'shadow' ? { unjudged } : {};
  if (rung === undefined) return { climb: { ...ended(climb, 'done', reason), frozen, ...left } };
  const state = 'running';
  const onIt = { rung, rungSince: now, runningSince: now, ready: false, starved: false };
  return {
    climb: { ...climb, ...onIt, state, reason, frozen, ...left },
    act: actFor(rung, actor, by, reason),
  };
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
  return { refused: `the ladder is ${words[state]}, and cannot be ${what} (${reason})` };
}

const words: Readonly<Record<Climb['state'], string>> = {
  running: 'running',
  paused: 'paused already',
  done: 'at its end',
  demoted: 'over (the module came down)',
  stopped: 'stopped',
};

const said = (what: string, { by, reason }: { readonly by: string; readonly reason?: string }) =>
  `${what} by ${by}${reason ? `: ${reason}` : ''}`;

/** `shadow`, `10 %`, `background`. */
export function rungInWords(rung: Rung): string {
  return /^\d/.test(rung) ? `${rung} %` : rung;
}

const places: Readonly<Record<string, string>> = { shadow: 'in shadow', background: 'with background work' };

/** `in shadow`, `at 10 %`, `with background work`. */
export const placeInWords = (rung: Rung): string => places[rung] ?? `at ${rungInWords(rung)}`;
