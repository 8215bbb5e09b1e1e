// Requests that a module serves in this process, tried on its service as well, and what the two say compared: a shadow.
// A read is answered first and tried then, and read here once more where it may have moved meanwhile; a write is tried first,
// since afterwards there would be nothing left to do for it: on the service, then here (rolled back like there, for the events
// that it would publish), and then it is done.
// Guarantees: a client's answer never comes of a shadow, and no failure of one reaches it; a write waits for its budget at
// the most; nothing is tried that the contract says cannot be; while it is not active it costs a look at one boolean.
// It knows neither how the service is asked nor where counts and samples go.
import { type Call, currentFlow, withFlow } from '../../context/call.ts';
import type { Contract, EventDefinition, OperationSpec } from '../../contract/contract.ts';
import { statusOfSuccess } from '../../contract/status.ts';
import { hasHealthy } from '../../routing/side.ts';
import type { Mirror as Shares, Snapshot } from '../../routing/snapshot.ts';
import { runRolledBack, TRIAL_BUDGET_MS } from '../../store/rolled-back.ts';
import type { ShadowReport } from '../../telemetry/shadow-reports.ts';
import { Attempt, cannot, isReading, type Run, type ShadowCall } from './attempt.ts';
import type { Breakers } from './breakers.ts';
import { type Answer, type Compared, compared, isSame, type Shapes } from './comparison.ts';
import { comparedAtRest } from './moved.ts';
import { redacted } from './samples.ts';
import { ShadowRecord, type Skip } from './shadow-record.ts';
import { shapeOf } from './shape.ts';

/** What a write waits for its shadow at the most. */
export const WRITE_BUDGET_MS = 100;
/** Less is no time to do anything in. */
const LEAST_MS = 15;

const nothingDiffers: Compared = { differences: [], places: [] };

/** Asks a process of the service; `unclear`: why its answer says nothing. Rejects where there was none. */
export type AskService = (
  contract: Contract,
  operation: string,
  input: unknown,
  call: ShadowCall,
) => Promise<{ readonly answer: Answer; readonly unclear: string | undefined }>;

export interface Sample {
  readonly module: string;
  readonly operation: string;
  readonly why: readonly string[];
  readonly near: unknown;
  readonly far: unknown;
}

export interface MirrorOptions {
  readonly ask: AskService;
  readonly breakers: Breakers;
  readonly snapshot: () => Snapshot;
  /** The problem that a door would make of an error. */
  readonly problemOf: (error: unknown) => { readonly status: number; readonly body: unknown };
  readonly keep: (sample: Sample) => void;
  /** Of the hashes in samples. */
  readonly key: Buffer;
  /** So many pairs of the near side make known what is noise; default LEAST_PAIRS. */
  readonly leastPairs?: number | undefined;
}

export class Mirror {
  /** Something of the module is mirrored. */
  active = false;
  readonly #contract: Contract;
  readonly #options: MirrorOptions;
  readonly #record: ShadowRecord;
  readonly #shapes = new Map<string, Shapes>();
  #shares: Shares = { reads: 0, writes: 0 };
  /** How many of each operation were tried as its first. */
  readonly #writes = new Map<string, number>();

  constructor(contract: Contract, options: MirrorOptions) {
    this.#contract = contract;
    this.#options = options;
    this.#record = new ShadowRecord('', { least: options.leastPairs });
  }

  /** Another picture. */
  follow({ modules }: Snapshot): void {
    const entry = modules[this.#contract.module];
    if (entry && this.#record.beginAgain(entry.changedAt)) this.#writes.clear();
    this.#shares = entry?.mirror ?? { reads: 0, writes: 0 };
    this.active = this.#shares.reads + this.#shares.writes > 0;
  }

  /** Undefined: nothing was. */
  read(): ShadowReport | undefined {
    const { mirrored, skipped, failed } = this.#record;
    if (!this.active && mirrored + skipped + failed === 0) return undefined;
    return this.#record.read(this.#options.breakers.paused);
  }

  /** Does the work, and where it is its turn tries it as well. */
  around(operation: string, spec: OperationSpec, input: unknown, call: Call, run: Run): Promise<unknown> {
    const { reads, writes } = this.#shares;
    const isRead = isReading(spec);
    const share = isRead ? reads : writes;
    if (share === 0 || cannot(spec)) return run(call);
    if (Math.random() * 100 >= share && (isRead || !this.#isFirst(operation))) return run(call);
    if (currentFlow()?.event?.replay) return run(call);
    const { breakers, snapshot } = this.#options;
    const skip = hasHealthy(snapshot(), this.#contract.module) ? leftOut(breakers, isRead) : 'no-process';
    if (skip !== undefined) {
      this.#record.skip(skip);
      return run(call);
    }
    const attempt = new Attempt(operation, spec, input, call, run);
    return isRead ? this.#afterwards(attempt, call) : this.#before(attempt).then(() => run(call));
  }

  #isFirst(operation: string): boolean {
    const tried = this.#writes.get(operation) ?? 0;
    if (tried >= (this.#shares.first ?? 0)) return false;
    this.#writes.set(operation, tried + 1);
    return true;
  }

  #afterwards(attempt: Attempt, call: Call): Promise<unknown> {
    const done = attempt.run(call);
    const later = (near: Answer) =>
      setImmediate(() => void this.#watched(attempt, () => this.#read(attempt, near)));
    done.then(
      (output) => later(succeeded(attempt.spec, output)),
      (error: unknown) => later(this.#failed(error)),
    );
    return done;
  }

  async #read(attempt: Attempt, near: Answer): Promise<boolean> {
    // What fails here is no measure of anything.
    if (near.status >= 500) return this.#skip('unclear');
    const far = await this.#far(attempt, attempt.callFor(TRIAL_BUDGET_MS));
    if (!far) return true;
    if (this.#record.wantsPair(attempt.operation)) {
      const again = await this.#near(attempt, TRIAL_BUDGET_MS);
      if (again) this.#pair(attempt, await this.#atRest(attempt, near, again));
    }
    const found = isSame(near, far) ? nothingDiffers : await this.#atRest(attempt, near, far);
    this.#compare(attempt, near, far, found);
    return false;
  }

  /** Both sides alike, or one would seem better than the other. */
  #atRest(attempt: Attempt, first: Answer, other: Answer): Promise<Compared> {
    const { operation, spec } = attempt;
    return comparedAtRest({
      first,
      other,
      compare: (near, one) => compared(near, one, this.#shapesOf(operation)),
      counting: (found) => this.#record.counting(operation, found, spec.shadow?.ignore),
      readAgain: () => this.#near(attempt, TRIAL_BUDGET_MS),
    });
  }

  async #before(attempt: Attempt): Promise<void> {
    await this.#watched(attempt, async () => {
      const ends = Date.now() + WRITE_BUDGET_MS;
      const far = await this.#far(attempt, attempt.callFor(WRITE_BUDGET_MS));
      if (!far) return true;
      const near = await this.#near(attempt, ends - Date.now());
      if (!near || near.status >= 500) return this.#skip(attempt.late ? 'budget-reached' : 'unclear');
      if (this.#record.wantsPair(attempt.operation)) {
        const again = await this.#near(attempt, ends - Date.now());
        if (again) this.#pair(attempt, compared(near, again, this.#shapesOf(attempt.operation)));
      }
      const shapes = this.#shapesOf(attempt.operation);
      setImmediate(() => this.#compare(attempt, near, far, compared(near, far, shapes)));
      return false;
    });
  }

  /** Nothing of it is a client's to hear. @param work answers whether it was late. */
  async #watched(attempt: Attempt, work: () => Promise<boolean>): Promise<void> {
    let late = false;
    try {
      late = (await work()) && attempt.late;
    } catch {
      this.#record.failed += 1;
    }
    this.#options.breakers.over(isReading(attempt.spec), late);
  }

  async #far(attempt: Attempt, call: ShadowCall): Promise<Answer | undefined> {
    try {
      const { operation, input } = attempt;
      const { answer, unclear } = await this.#options.ask(this.#contract, operation, input, call);
      if (unclear === undefined) return answer;
      attempt.late = Date.now() >= call.deadline - LEAST_MS;
      this.#skip(attempt.late ? 'budget-reached' : 'unclear');
    } catch {
      attempt.late = Date.now() >= call.deadline - LEAST_MS;
      if (attempt.late) this.#skip('budget-reached');
      else this.#record.failed += 1;
    }
    return undefined;
  }

  async #near(attempt: Attempt, leftMs: number): Promise<Answer | undefined> {
    const budgetMs = Math.floor(leftMs);
    attempt.late = budgetMs < LEAST_MS;
    if (attempt.late) return undefined;
    const call = attempt.callFor(budgetMs);
    const work = () => withFlow(call, () => attempt.run(call));
    const { outcome, events, disturbed } = await runRolledBack(work, { budgetMs });
    attempt.late = Date.now() >= call.deadline;
    if (disturbed !== undefined) return undefined;
    const { module } = this.#contract;
    const came = 'answer' in outcome ? succeeded(attempt.spec, outcome.answer) : this.#failed(outcome.error);
    return { ...came, events: events.filter((event) => event.module === module) };
  }

  #failed(error: unknown): Answer {
    const { status, body } = this.#options.problemOf(error);
    return { status, body, events: [] };
  }

  #skip(why: Skip): true {
    this.#record.skip(why);
    return true;
  }

  #pair({ operation, spec }: Attempt, found: Compared): void {
    this.#record.pair(operation, found, spec.shadow?.ignore);
  }

  #compare({ operation, spec }: Attempt, near: Answer, far: Answer, found: Compared): void {
    const why = this.#record.shadow(operation, found, spec.shadow?.ignore);
    if (why.length === 0) return;
    const { keep, key } = this.#options;
    const { module } = this.#contract;
    const shapes = this.#shapesOf(operation);
    keep({ module, operation, why, near: redacted(near, shapes, key), far: redacted(far, shapes, key) });
  }

  #shapesOf(operation: string): Shapes {
    let shapes = this.#shapes.get(operation);
    if (!shapes) {
      const { operations, events } = this.#contract;
      const all: readonly EventDefinition[] = Object.values(events);
      const byType = all.map(({ type, data }) => [type, shapeOf(data)] as const);
      shapes = { body: shapeOf(operations[operation]!.output), events: new Map(byType) };
      this.#shapes.set(operation, shapes);
    }
    return shapes;
  }
}

/** Undefined: it begins. */
function leftOut(breakers: Breakers, isRead: boolean): Skip | undefined {
  if (breakers.begins(isRead)) return undefined;
  return breakers.paused === undefined ? 'busy' : 'paused';
}

function succeeded(spec: OperationSpec, output: unknown): Answer {
  return { status: statusOfSuccess(spec, output), body: output, events: [] };
}
