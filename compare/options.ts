// What a comparison is asked for, and how long each part of it may take: quick, default, full.
import type { Topology } from './topology/syntax.ts';
import type { Workload } from './workload/read.ts';

export type Mode = 'quick' | 'default' | 'full';

export interface CompareOptions {
  readonly mode: Mode;
  readonly a: Topology;
  readonly b: Topology;
  readonly self: boolean;
  readonly workload: Workload;
  readonly modules: readonly string[];
  readonly pairs: number;
  readonly seed: number;
  /** Undefined: chosen by what the costlier topology can take. */
  readonly perSecond: number | undefined;
  readonly log: 'postgres' | 'kafka';
  /** As it was typed. */
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly say: (phase: string, doing: string) => void;
}

export interface Pace {
  readonly trialMs: number;
  /** A trial lasts until it has so many, within reason (`trialMsAt`): 500 have a p99 (TAIL_SAMPLES_IN_A_TRIAL). */
  readonly requests: number;
  readonly warmUpMs: number;
  /** New processes for every pair: what differs between two starts of one topology is no difference of topologies. */
  readonly fresh: boolean;
  /** Where processes are not started anew, what two starts of one topology may differ by. */
  readonly allowance: number;
  /** Everything must be over by then. */
  readonly budgetMs: number;
}

const thorough = { fresh: true, allowance: 0, budgetMs: Number.POSITIVE_INFINITY };

export const paces: Readonly<Record<Mode, Pace>> = {
  quick: { trialMs: 1600, requests: 0, warmUpMs: 300, fresh: false, allowance: 0.05, budgetMs: 50_000 },
  // Arrivals are random: of 600 expected there are 500 in all but one trial of 40,000.
  default: { trialMs: 6000, requests: 600, warmUpMs: 2500, ...thorough },
  full: { trialMs: 12_000, requests: 1200, warmUpMs: 5000, ...thorough },
};

/** At most five times as long as usual: 600 take 30 s at 20 a second. A slower workload gets no p99, and no longer trials. */
export function trialMsAt(perSecond: number, { trialMs, requests }: Pace): number {
  const ms = Math.ceil((requests / perSecond) * 1000);
  return ms > trialMs && ms <= 5 * trialMs ? ms : trialMs;
}

/** With 8 pairs all on one side the first of four figures passes Holm: 2 / 2^8 < 0.05 / 4. With 7 none does. */
export const DEFAULT_PAIRS = 8;
export const FEWEST_PAIRS = 6;
export const MOST_PAIRS = 60;
