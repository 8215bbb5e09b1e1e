// Where a saga goes next: the table of steps read as a machine. Pure: it asks nobody and keeps nothing.
//
//   forward: step, step … pivot, step …  ──last is done──> done
//       │ refused, or called off before the pivot
//       v
//   undo: the undos of what may have taken effect, backwards ──> after: what follows ──> done
import type { Change, Command, Place, Reply, Saga } from './definition.ts';

export type Action<D> = Command<D> | Change<D>;

export class Transitions<D> {
  readonly #saga: Saga<D>;
  readonly #pivot: number;

  constructor(saga: Saga<D>) {
    this.#saga = saga;
    this.#pivot = saga.steps.findIndex((step) => step.pivot);
  }

  get first(): Place {
    return { path: 'forward', step: this.#saga.steps[0]!.name };
  }

  /** Where a saga begins that has nothing to do and nothing to take back, only an end to tell of. */
  get lastOfAfter(): Place {
    return { path: 'after', step: this.#saga.otherwise.at(-1)!.name };
  }

  /** What is to be done at this place; undefined when it is over, or in a table of another version. */
  at({ path, step }: Place): Action<D> | undefined {
    const { steps, otherwise } = this.#saga;
    if (path === 'forward') return steps.find(({ name }) => name === step);
    if (path === 'undo') return steps.find(({ undo }) => undo?.name === step)?.undo;
    return path === 'after' ? otherwise.find(({ name }) => name === step) : undefined;
  }

  /** The module whose turn it is there; null where it is the saga's own. */
  turnOf(place: Place): string | null {
    const action = this.at(place);
    return action && 'ask' in action ? action.by : null;
  }

  /** How long a saga may stand there before it counts as stuck; 0 where nothing is to be done. */
  deadlineOf(place: Place): number {
    return this.at(place)?.deadlineMs ?? 0;
  }

  /** From what is noted when handed-over work is done, to the step that handed it over. */
  get handovers(): ReadonlyMap<string, string> {
    const { steps, otherwise } = this.#saga;
    return new Map(
      [...steps, ...otherwise].flatMap((one) =>
        'ask' in one && one.handsOver ? [[one.handsOver, one.name] as const] : [],
      ),
    );
  }

  /** Undefined: stay and ask again. Throws where the answer is none that this place can have. */
  after(place: Place, { outcome, why }: Reply): Place | undefined {
    if (outcome === 'pending') return undefined;
    const { steps, otherwise } = this.#saga;
    if (place.path === 'forward') {
      const index = this.#indexOf(place);
      if (outcome === 'refused') {
        if (index > this.#pivot)
          throw new Error(`${place.step} cannot refuse: it is after the pivot (${why})`);
        return this.#undoBefore(index);
      }
      const next = steps[index + 1];
      return next ? { path: 'forward', step: next.name } : { path: 'done', step: place.step };
    }
    if (outcome === 'refused') throw new Error(`${place.step} cannot refuse: nothing takes it back (${why})`);
    if (place.path === 'undo') return this.#undoBefore(this.#indexOf(place));
    const next = otherwise[otherwise.findIndex(({ name }) => name === place.step) + 1];
    return next ? { path: 'after', step: next.name } : { path: 'done', step: place.step };
  }

  /** Where it goes when it is called off here; undefined when that is too late, or being done already. */
  onCancel(place: Place): Place | undefined {
    if (place.path !== 'forward') return undefined;
    const index = this.#indexOf(place);
    // The present step may have taken effect, whatever is known of it: it is taken back as well.
    return index > this.#pivot ? undefined : this.#undoBefore(index + 1);
  }

  /** Why it cannot be called off here, in a sentence; null: it can, or this version does not know the step. */
  whyNotCalledOff({ path, step }: Place): string | null {
    if (path !== 'forward') return 'It is being taken back already.';
    const { steps } = this.#saga;
    if (steps.findIndex(({ name }) => name === step) <= this.#pivot) return null;
    return `After ${steps[this.#pivot]!.name} it only goes forward: nothing of it is taken back any more.`;
  }

  #indexOf({ path, step }: Place): number {
    const { steps } = this.#saga;
    const index = steps.findIndex(({ name, undo }) => (path === 'undo' ? undo?.name : name) === step);
    if (index < 0) throw new Error(`This version has no step ${step} on its path ${path}`);
    return index;
  }

  #undoBefore(index: number): Place {
    const { steps, otherwise } = this.#saga;
    const undo = steps.slice(0, index).findLast((step) => step.undo)?.undo;
    return undo ? { path: 'undo', step: undo.name } : { path: 'after', step: otherwise[0]!.name };
  }
}
