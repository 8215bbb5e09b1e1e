// A job over a leased queue: claims as many rows as it has room for, works on each outside any transaction, and postpones
// what failed, by a backoff. One row that waits long holds up no other. A host that stops gives back what it had
// in work, at once; one that is killed lets its leases run out.
// What one row's work is, how its end is recorded and what a failure means is the module's.
import type { Logger } from 'pino';
import { type Waits, waitAfter } from '../context/backoff.ts';
import type { InnerStore } from '../store/store.ts';
import type { Job } from './job.ts';
import { type Held, JobQueue, type JobTable } from './queue.ts';
import type { WorkerPool } from './worker-pool.ts';

/** How often a host looks when nothing woke it. */
const LOOK_MS = 1_000;
/** Rows claimed in one round trip. */
const BATCH = 64;

/** To be tried again after `waitMs`, with these columns set. */
export interface Postponed {
  readonly waitMs: number;
  readonly set?: Readonly<Record<string, unknown>>;
}

/**
 * `over`: recorded, nothing is left to do. `due`: recorded, and there is more to do at once. `leased`: it is due again
 * when its lease ends, and that is all. `next`: recorded, and what is next is leased to this host already.
 */
export type Outcome<J = never> = 'over' | 'due' | 'leased' | Postponed | { readonly next: Held<J> };

export interface Failure {
  readonly error: unknown;
  /** How long the backoff would wait; 0 when the host stops. */
  readonly waitMs: number;
  /** The host stops: what was interrupted is no fault of the job. */
  readonly stopping: boolean;
}

export interface LeasedJob<J> {
  readonly name: string;
  readonly table: JobTable<J>;
  /** Rows in work on this host at most. They hold no connection while they wait: the limit is for memory. */
  readonly atOnce: number;
  /** Longer than one piece of work and its record may take. */
  readonly leaseMs: number;
  readonly waits: Waits;
  /** How often a host looks when nothing woke it, in milliseconds. Default: a second. */
  readonly everyMs?: number;
  /** One lease of one row. Ends soon when `signal` aborts; may find that another host was first. */
  readonly work: (job: J, signal: AbortSignal) => Promise<Outcome<J>>;
  /** What it means that `work` threw. Default: one line in the log, and another try after the backoff. */
  readonly failed?: (job: J, failure: Failure) => Outcome | Promise<Outcome>;
}

export interface LeasedJobParts {
  readonly store: Pick<InnerStore, 'sql' | 'asyncCommit'>;
  readonly workers: WorkerPool;
  readonly log: Logger;
}

export interface OpenLeasedJob<J> extends Job {
  /** Works on a row that this host leased in another way than by a claim: where it wrote what is next. */
  readonly start: (held: Held<J>) => void;
}

/** How many are in work at once is the worker pool's to say. */
export function createLeasedJob<J>(
  spec: Omit<LeasedJob<J>, 'atOnce'>,
  { store, workers, log }: LeasedJobParts,
): OpenLeasedJob<J> {
  const { name, table, leaseMs, waits, everyMs = LOOK_MS, work } = spec;
  const queue = new JobQueue(table, store);

  const logged = ({ lease }: Held<J>, { error, waitMs, stopping }: Failure): Outcome => {
    const { id, attempts } = lease;
    if (!stopping) log.info({ err: error, job: name, id, attempts, wait: waitMs }, 'a job failed');
    return { waitMs };
  };

  const judge = (held: Held<J>, error: unknown, stopping: boolean) => {
    const failure = { error, stopping, waitMs: stopping ? 0 : waitAfter(held.lease.attempts, waits) };
    return spec.failed ? spec.failed(held.job, failure) : logged(held, failure);
  };

  /** Every attempt of every job ends here. What was interrupted is none. */
  const attempt = async (held: Held<J>, signal: AbortSignal) => {
    try {
      const outcome = await work(held.job, signal);
      workers.attempted(false);
      return outcome;
    } catch (error) {
      if (!signal.aborted) workers.attempted(true);
      return judge(held, error, signal.aborted);
    }
  };

  /** What this host holds of it afterwards. */
  const one = async (held: Held<J>, signal: AbortSignal): Promise<Held<J> | undefined> => {
    const outcome = await attempt(held, signal);
    if (outcome === 'over') return;
    if (outcome === 'due') workers.wakeIn(0);
    else if (outcome === 'leased') workers.wakeIn(leaseMs);
    else if ('next' in outcome) return outcome.next;
    else {
      await queue.postpone(held.lease, outcome.waitMs, outcome.set);
      workers.wakeIn(outcome.waitMs);
    }
  };

  const start = (held: Held<J>) =>
    workers.start(held.lease.cause, async (signal) => {
      for (let now: Held<J> | undefined = held; now; ) now = await one(now, signal);
    });

  return {
    name,
    everyMs,
    start,
    async run() {
      const room = Math.min(workers.room, BATCH);
      if (room <= 0) return false;
      const held = await queue.claim(room, leaseMs);
      for (const row of held) start(row);
      return held.length === room;
    },
  };
}
