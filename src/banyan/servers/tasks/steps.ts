// The walk of a task about a store, as a machine: which step comes next, after which happening. Guarantees: before the commit
// point every failure leads back, after it every failure leads on; a pause that comes to nothing is tried five times and no more,
// and one that was cut off is none of them; it ends where coordinators live long enough. Pure:
// who does a step is coordinator.ts's, what is written when rows.ts's.

export const tasks = ['check', 'move', 'rehearse', 'verify', 'finish', 'abort', 'lose', 'drop'] as const;
/**
 * `lose`: onto the passive server, without what only the lost owner has. `drop`: what the end of a pair left on a server.
 */
export type Task = (typeof tasks)[number];

/** `held` is the pause: from the gate that shuts to the commit point, which is the beginning of `moved`. */
export const steps = [
  'preflight',
  'provisioned',
  'copying',
  'paired',
  'held',
  'moved',
  'verified',
  'clearing',
] as const;
export type Step = (typeof steps)[number];

export const states = [
  'running',
  'moved',
  'rolled-back',
  'refused',
  'aborted',
  'rehearsed',
  'checked',
  'verified',
  'finished',
  'dropped',
] as const;
export type State = (typeof states)[number];

export interface Walk {
  readonly task: Task;
  readonly state: State;
  /** The one that is done, or was done last. */
  readonly step: Step;
  /** Of the pause: how many were begun and came to nothing. */
  readonly attempt: number;
  /** Of this step, in a row. */
  readonly failures: number;
  /** Nothing is done before; milliseconds since the epoch. */
  readonly notBefore: number;
  /** Why it went back, or is tried again; in words. */
  readonly why: string | null;
  /** The pair stood before: a way back does not end it. */
  readonly paired: boolean;
  /** What it comes to once it is cleared. */
  readonly outcome?: State;
}

export type Happening =
  /** The step came to its end. */
  | { readonly on: 'done'; readonly why?: string }
  /** The pre-flight found something. */
  | { readonly on: 'refused'; readonly why: string }
  /** @param final trying again is no use. */
  | {
      readonly on: 'failed';
      readonly why: string;
      readonly final?: boolean;
      /** Of a pause: it failed before anybody was held. */
      readonly unbegun?: boolean;
    }
  /** Somebody wants it ended. */
  | { readonly on: 'abort' }
  /** Who did it is gone, or was too slow; another goes on. */
  | { readonly on: 'taken-over' };

const ways: Readonly<Record<Task, readonly Step[]>> = {
  check: ['preflight'],
  move: ['preflight', 'provisioned', 'copying', 'paired', 'held', 'moved', 'verified'],
  rehearse: ['preflight', 'provisioned', 'copying', 'paired', 'held', 'clearing'],
  verify: ['verified'],
  finish: ['clearing'],
  abort: ['clearing'],
  lose: ['preflight', 'held', 'moved'],
  drop: ['clearing'],
};

const ends: Readonly<Record<Task, State>> = {
  check: 'checked',
  move: 'moved',
  rehearse: 'rehearsed',
  verify: 'verified',
  finish: 'finished',
  abort: 'aborted',
  lose: 'moved',
  drop: 'dropped',
};

export const PAUSES = 5;
/** A step that is no pause: about a minute and a half, in which a server that was killed is back. */
export const TRIES = 12;

/** Before the next pause. */
const PAUSE_WAITS_MS = [2_000, 5_000, 15_000];
const WAITS_MS = [500, 1_000, 2_000, 5_000, 10_000];

const after = (waits: readonly number[], times: number) => waits[Math.min(times, waits.length) - 1]!;

/** @param paired a pair of these two servers stands. */
export function begin(task: Task, paired: boolean): Walk {
  const walk = { task, state: 'running', attempt: 0, failures: 0, notBefore: 0, why: null, paired } as const;
  return { ...walk, step: ways[task][0]! };
}

export const isOpen = ({ state }: Walk) => state === 'running';

/** Nothing of it can be taken back. */
export const isCommitted = ({ task, step }: Walk) =>
  (task === 'move' || task === 'lose') && (step === 'moved' || step === 'verified');

/** Whether somebody may still have it ended. */
export const mayAbort = (walk: Walk) =>
  isOpen(walk) && !isCommitted(walk) && walk.task !== 'lose' && walk.step !== 'clearing';

/** @param now milliseconds since the epoch. */
export function next(walk: Walk, happening: Happening, now: number): Walk {
  if (!isOpen(walk)) return walk;
  switch (happening.on) {
    case 'done':
      return onwards(walk, happening.why);
    case 'refused':
      return { ...walk, state: 'refused', why: happening.why };
    case 'abort':
      return mayAbort(walk) ? back(walk, 'aborted', 'somebody ended it') : walk;
    case 'taken-over':
      return walk.step === 'held' ? cutOff(walk, now) : { ...walk, notBefore: 0 };
    case 'failed':
      return walk.step === 'held'
        ? (happening.unbegun ? notBegun : pauseFailed)(walk, happening.why, now, happening.final)
        : failed(walk, happening.why, now, happening.final);
  }
}

/** @param why what a person has to know of it all the same. */
function onwards(walk: Walk, why: string | null = null): Walk {
  const way = ways[walk.task];
  const at = way.indexOf(walk.step);
  // The reason of a pause that failed is forgotten once a later pause succeeds.
  const passed = walk.step === 'held' ? { why: null } : {};
  const fresh = { ...walk, ...passed, failures: 0, notBefore: 0 };
  // It was being rolled back: what it had made is removed, and it ends as `back` decided.
  if (walk.step === 'clearing' && walk.outcome) return { ...fresh, state: walk.outcome };
  const step = way[at + 1];
  const done = { ...fresh, state: ends[walk.task], why: why ?? ofRehearsal(walk) };
  if (step === undefined) return done;
  // What stood before a rehearsal stands after it.
  return step === 'clearing' && walk.paired ? done : { ...fresh, step };
}

/** A rehearsal that needed several pauses warns: the real move may not get through in five. */
const ofRehearsal = ({ task, attempt }: Walk): string | null =>
  task === 'rehearse' && attempt > 0
    ? `${attempt} of ${attempt + 1} pauses came to nothing before one passed: a move may be rolled back. Move at a quieter time`
    : null;

/** Before the commit point: the pair that this task made goes, and everything is as before. */
function back(walk: Walk, state: State, why: string): Walk {
  const made = ['copying', 'paired', 'held'].includes(walk.step) && !walk.paired;
  if (!made) return { ...walk, state, why };
  return { ...walk, step: 'clearing', outcome: state, why, failures: 0, notBefore: 0 };
}

/** The pair stays: what was copied is good, and a person may try again. A rehearsal leaves nothing behind. */
function pauseFailed(walk: Walk, why: string, now: number, final = false): Walk {
  const attempt = walk.attempt + 1;
  const again = { ...walk, attempt, why, failures: 0, notBefore: now + after(PAUSE_WAITS_MS, attempt) };
  if (!final && attempt < PAUSES) return walk.task === 'lose' ? again : { ...again, step: 'paired' };
  const ended = { ...walk, attempt };
  return walk.task === 'rehearse' ? back(ended, 'rolled-back', why) : { ...ended, state: 'rolled-back', why };
}

/** It failed before any host was held. So it is not one of the five pauses, and is tried again like any other step. */
function notBegun(walk: Walk, why: string, now: number): Walk {
  const failures = walk.failures + 1;
  if (failures >= TRIES) return pauseFailed(walk, why, now, true);
  return { ...walk, failures, why, notBefore: now + after(WAITS_MS, failures) };
}

/** Its coordinator died within the pause. Whether the pause would have succeeded is not known, so it is not one of the five. */
function cutOff(walk: Walk, now: number): Walk {
  const why = 'a pause was cut off: whoever coordinated it stopped, or was not heard of for 3 s';
  const again = { ...walk, why, failures: 0, notBefore: now + PAUSE_WAITS_MS[0]! };
  return walk.task === 'lose' ? again : { ...again, step: 'paired' };
}

function failed(walk: Walk, why: string, now: number, final = false): Walk {
  const failures = walk.failures + 1;
  const again = { ...walk, failures, why, notBefore: now + after(WAITS_MS, failures) };
  if (walk.step === 'moved') return again;
  if (!final && failures < TRIES) return again;
  const given = { ...walk, failures };
  // It has moved, whatever can be said of it.
  if (walk.step === 'verified' && walk.task === 'move') return { ...given, state: 'moved', why };
  if (walk.step === 'clearing') return { ...given, state: walk.outcome ?? 'rolled-back', why };
  return back(given, 'rolled-back', why);
}
