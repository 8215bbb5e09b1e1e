// What one host's shadows of a module came to, since the present placement began: how many, and what differed, operation by
// operation. What was learned of the near side's noise outlives a placement; what was counted does not.
// It asks nobody, and keeps no answer.
import type { ShadowReport } from '../../telemetry/shadow-reports.ts';
import type { Pair } from '../judge/account.ts';
import type { Counts } from '../judge/evidence.ts';
import type { Compared } from './comparison.ts';
import {
  isLearned,
  LEAST_PAIRS,
  mostOften,
  noRecord,
  type OperationRecord,
  type Terms,
  withPair,
  withShadow,
} from './noise.ts';
import { mayKeep } from './samples.ts';

/** Of the shadows of an operation one in so many is also done a second time on the near side. */
const PAIR_EVERY = 4;

/** Why one that was chosen was not done, or says nothing: it was in the way of others, or its near side failed by itself. */
export type Skip = 'busy' | 'paused' | 'no-process' | 'budget-reached' | 'unclear';

export class ShadowRecord {
  mirrored = 0;
  differed = 0;
  failed = 0;
  #skips: Partial<Record<Skip, number>> = {};
  #placedAt: string;
  readonly #terms: Terms;
  readonly #operations = new Map<string, OperationRecord>();
  /** By operation, how many samples were kept of each difference. */
  readonly #kept = new Map<string, Map<string, number>>();
  #turn = 0;

  /** @param placedAt names the placement. */
  constructor(placedAt: string, terms: Terms = {}) {
    this.#placedAt = placedAt;
    this.#terms = terms;
  }

  /** Answers whether another placement begins. */
  beginAgain(placedAt: string): boolean {
    if (placedAt === this.#placedAt) return false;
    this.#placedAt = placedAt;
    this.mirrored = this.differed = this.failed = 0;
    this.#skips = {};
    this.#kept.clear();
    for (const [operation, { noise }] of this.#operations)
      this.#operations.set(operation, { ...noRecord, noise });
    return true;
  }

  get skipped(): number {
    return Object.values(this.#skips).reduce((sum, n) => sum + n, 0);
  }

  skip(why: Skip): void {
    this.#skips[why] = (this.#skips[why] ?? 0) + 1;
  }

  /** Whether the next shadow should come with a pair of the near side. */
  wantsPair(operation: string): boolean {
    this.#turn += 1;
    return this.#turn % PAIR_EVERY === 0 || !isLearned(this.#of(operation), this.#terms);
  }

  /** The places that would count as different. */
  counting(operation: string, compared: Compared, ignore: readonly string[] | undefined): string[] {
    const { differences } = withShadow(this.#of(operation), compared, { ...this.#terms, ignore });
    return differences.map(({ path }) => path);
  }

  pair(operation: string, compared: Compared, ignore: readonly string[] | undefined): void {
    this.#operations.set(operation, withPair(this.#of(operation), compared, { ...this.#terms, ignore }));
  }

  /** Answers, in words, the differences of which a sample should be kept. */
  shadow(operation: string, compared: Compared, ignore: readonly string[] | undefined): string[] {
    const { record, differences } = withShadow(this.#of(operation), compared, { ...this.#terms, ignore });
    this.#operations.set(operation, record);
    this.mirrored += 1;
    if (differences.length === 0) return [];
    this.differed += 1;
    const whys = differences.map(({ why }) => why);
    const kept = this.#kept.get(operation) ?? new Map<string, number>();
    this.#kept.set(operation, kept);
    if (!mayKeep(kept, whys[0]!)) return [];
    kept.set(whys[0]!, (kept.get(whys[0]!) ?? 0) + 1);
    return whys;
  }

  read(paused: string | undefined): ShadowReport {
    const { mirrored, differed, skipped, failed } = this;
    const near = { n: 0, bad: 0 };
    const far = { n: 0, bad: 0 };
    const differences: Record<string, string> = {};
    const operations: Record<string, Pair<Counts>> = {};
    const judged: Record<string, number> = {};
    for (const [operation, record] of this.#operations) {
      near.n += record.near.n;
      near.bad += record.near.bad;
      far.n += record.far.n;
      far.bad += record.far.bad;
      judged[operation] = record.far.n;
      const why = mostOften(record);
      if (why === '') continue;
      differences[operation] = why;
      operations[operation] = { near: { ...record.near }, far: { ...record.far } };
    }
    const counts = { mirrored, differed, skipped, failed, near, far, differences, operations, judged };
    const learning = this.#learning();
    const told = { skips: { ...this.#skips }, ...(learning && { learning }) };
    return { placedAt: this.#placedAt, ...counts, ...told, ...(paused !== undefined && { paused }) };
  }

  /** Undefined: something can be compared. */
  #learning(): ShadowReport['learning'] {
    const records = [...this.#operations.values()];
    if (records.some((one) => isLearned(one, this.#terms))) return undefined;
    const pairs = Math.max(0, ...records.map(({ noise }) => noise.pairs));
    return { pairs, of: this.#terms.least ?? LEAST_PAIRS };
  }

  #of(operation: string): OperationRecord {
    return this.#operations.get(operation) ?? noRecord;
  }
}
