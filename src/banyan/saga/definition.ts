// A saga as a table: steps that go forward, what takes each of them back, and how it ends when it was taken back.
// A step is a command to another module (asked as often as it takes, so it must bear repeating) or a change in the
// own store. The table says whose turn a step is and when it is late: who looks for what is stuck asks it alone.
// It knows nothing of who executes the table, nor of what the steps mean.
import type { Transaction } from '../store/store.ts';

/** What a step answers. A repeated question must get the same answer. */
export interface Reply {
  /**
   * - `done`: it took effect, or had before.
   * - `refused`: it did not and will not: what went before is taken back. Only before or at the pivot.
   * - `pending`: it is at work; the answer comes as a signal, or when it is asked again.
   */
  readonly outcome: 'done' | 'refused' | 'pending';
  /** The host that did it. */
  readonly where: string | null;
  /** How often it was tried there, if that is not how often it was asked. */
  readonly attempts?: number;
  /** Of a refusal: how the saga ends. Of what is done: a remark. */
  readonly why?: string;
}

/** A question to another module, never asked inside a transaction. */
export interface Command<D> {
  readonly name: string;
  /** The module whose answer is awaited. */
  readonly by: string;
  readonly ask: (data: D, ending: string | null) => Promise<Reply>;
  /** From when on the saga counts as stuck in this step. */
  readonly deadlineMs: number;
  /** How long until a `pending` is asked again, should no signal come. */
  readonly askAgainMs?: number;
  /** The note that marks the handed-over work as finished. A timeline shows it after this step. */
  readonly handsOver?: string;
}

/** A change in the own store, in the very transaction that moves the saga on. It cannot be pending, and is nobody else's turn. */
export interface Change<D> {
  readonly name: string;
  readonly change: (tx: Transaction, data: D, ending: string | null) => Promise<Reply>;
  readonly deadlineMs: number;
}

export type Step<D> = (Command<D> | Change<D>) & {
  /** Takes the step back; also when nobody knows whether it took effect. */
  readonly undo?: Command<D>;
  /** After this step the saga only goes forward. */
  readonly pivot?: boolean;
};

export interface Saga<D> {
  readonly steps: readonly Step<D>[];
  /** What follows when everything was taken back. */
  readonly otherwise: readonly (Command<D> | Change<D>)[];
  /** Set it if the saga may also run by choreography; otherwise a coordinator always drives it. */
  readonly watched?: Watched;
}

/**
 * Sagas that nobody drives: each module reacts to the events of another. The engine only notes what it is told, and
 * knows by the notes which step is missing. Which of them may be open is known to the module's own rows.
 */
export interface Watched {
  /** SQL over the module's tables: `id` and `since` (when it began) of each that is not decided. */
  readonly undecided: string;
  /** Same columns for rejected or cancelled sagas whose undo may be unfinished; `since`: when it ended. */
  readonly endedOtherwise: string;
  /** Nothing was heard for so long: it is stuck. One time for all steps, as it covers the ways of the events. */
  readonly deadlineMs: number;
}

/** forward: the steps. undo: those before the pivot, backwards. after: `otherwise`. done: over. */
export type Path = 'forward' | 'undo' | 'after' | 'done';

export interface Place {
  readonly path: Path;
  /** The name of the step; of the last one when it is over. */
  readonly step: string;
}

/** Names stand in statements, metrics and commands as they are. */
const NAME = /^[a-z]+(-[a-z]+)*$/;

/** Checks what the engine relies on; throws where a table cannot be executed. */
export function defineSaga<D>(saga: Saga<D>): Saga<D> {
  const { steps, otherwise } = saga;
  const pivots = steps.filter((step) => step.pivot);
  if (pivots.length !== 1) throw new Error(`A saga has one pivot, this one has ${pivots.length}`);
  const pivot = steps.indexOf(pivots[0]!);
  for (const [index, step] of steps.entries()) {
    if (index >= pivot && step.undo)
      throw new Error(`${step.name} is not before the pivot: it cannot be taken back by ${step.undo.name}`);
  }
  for (const names of [
    steps.map(({ name }) => name),
    steps.flatMap(({ undo }) => undo?.name ?? []),
    otherwise.map(({ name }) => name),
  ]) {
    if (new Set(names).size < names.length) throw new Error(`Two steps have one name: ${names.join(', ')}`);
    const odd = names.find((name) => !NAME.test(name));
    if (odd !== undefined)
      throw new Error(`"${odd}" is no name of a step: it takes small letters and dashes`);
  }
  return saga;
}
