// Runs one request's whole work as it always runs, over whatever stores it comes to in this process, and takes all of it
// back: what came of it, and which events it would have published.
// Guarantees: no row, event, wake or notice of it is ever seen by anybody else; it ends within its budget; no more than two are
// under way at once.
// It must not know what the work is, nor why it is tried.
import { withTrial } from '../context/trial.ts';
import { libraryProblem } from '../contract/problem.ts';
import { overBudget, Trial } from '../postgres/trial.ts';

export interface TriedEvent {
  readonly module: string;
  readonly type: string;
  readonly key: string;
  readonly data: unknown;
}

export interface Tried<T> {
  readonly outcome: { readonly answer: T } | { readonly error: unknown };
  /** In the order in which each module would have published them. Empty where the work failed. */
  readonly events: readonly TriedEvent[];
  /** Why the outcome says nothing of the work itself: it met somebody's lock, its budget, a lost connection. */
  readonly disturbed: string | undefined;
}

/** Of one process: each keeps connections, and whoever works for real needs most of them. */
export const TRIALS_AT_ONCE = 2;
let underWay = 0;

/** More than a request takes that nothing is wrong with. */
export const TRIAL_BUDGET_MS = 250;

export async function runRolledBack<T>(
  work: () => Promise<T>,
  { budgetMs = TRIAL_BUDGET_MS }: { readonly budgetMs?: number } = {},
): Promise<Tried<T>> {
  if (underWay >= TRIALS_AT_ONCE) return tooMany();
  underWay += 1;
  const trial = new Trial(budgetMs);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = overBudget(budgetMs);
    trial.giveUp(error);
    late.reject(error);
  }, budgetMs);
  const whole = async (): Promise<Tried<T>> => {
    const outcome = await withTrial(trial, async () => work()).then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    const events = (await trial.end()) as TriedEvent[];
    return { outcome, events, disturbed: trial.disturbed };
  };
  try {
    return await Promise.race([whole(), late.promise]);
  } catch (error) {
    trial.giveUp(error as Error);
    return { outcome: { error }, events: [], disturbed: trial.disturbed };
  } finally {
    clearTimeout(timer);
    underWay -= 1;
  }
}

function tooMany(): Tried<never> {
  const error = libraryProblem('unavailable', {
    detail: `${TRIALS_AT_ONCE} requests are only tried in this process already, and no more are at once.`,
  });
  return { outcome: { error }, events: [], disturbed: error.message };
}
