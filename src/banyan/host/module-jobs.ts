// The jobs of one module in this process: their loops, what each has in flight, and who is woken.
// Guarantees: what `setup` wakes, before the jobs are known, is woken once they are; waking a job that there is not is an
// error that names those there are.
import type { Logger } from 'pino';
import type { Job } from '../jobs/job.ts';
import { createJobTask, type JobTask } from '../jobs/loop.ts';
import { WorkerPool } from '../jobs/worker-pool.ts';
import type { Tracing } from '../telemetry/tracing.ts';

export class ModuleJobs {
  /** Of the module's saga, if it has one. */
  ofSaga: Job | undefined;
  readonly #module: string;
  readonly #log: Logger;
  readonly #tracing: Tracing;
  readonly #attempted: (failed: boolean) => void;
  readonly #pools: WorkerPool[] = [];
  readonly #tasks = new Map<string, JobTask>();
  /** What was woken by `setup`, which names the jobs only when it is done; undefined: their names are known. */
  #early: Set<string> | undefined = new Set();

  /** @param attempted hears of the end of each attempt at a row. */
  constructor(
    module: string,
    log: Logger,
    tracing: Tracing,
    attempted: (failed: boolean) => void = () => {},
  ) {
    this.#module = module;
    this.#log = log;
    this.#tracing = tracing;
    this.#attempted = attempted;
  }

  wake(job: string): void {
    if (this.#early) return void this.#early.add(job);
    const task = this.#tasks.get(job);
    if (!task) throw new Error(noSuchJob(this.#module, job, [...this.#tasks.keys()]));
    task.wake();
  }

  /** What the job may have in flight. */
  workers(job: string, limit: number): WorkerPool {
    const wake = () => this.#tasks.get(job)?.wake();
    const name = `${this.#module}/${job}`;
    const workers = new WorkerPool({
      ...{ name, module: this.#module, limit, wake },
      log: this.#log,
      tracing: this.#tracing,
      attempted: this.#attempted,
    });
    this.#pools.push(workers);
    return workers;
  }

  begin(jobs: readonly Job[]): JobTask[] {
    for (const job of this.ofSaga ? [this.ofSaga, ...jobs] : jobs) {
      if (this.#tasks.has(job.name)) throw new Error(`${this.#module} has two jobs of the name ${job.name}`);
      this.#tasks.set(job.name, createJobTask(job, this.#log));
    }
    const woken = this.#early ?? [];
    this.#early = undefined;
    for (const job of woken) this.wake(job);
    return [...this.#tasks.values()];
  }

  /** Aborts what is in work, and waits until it has let go. */
  async settle(): Promise<void> {
    await Promise.all(this.#pools.map((workers) => workers.close()));
  }
}

function noSuchJob(module: string, job: string, jobs: readonly string[]): string {
  const known = jobs.length > 0 ? `Its jobs are: ${jobs.join(', ')}` : 'It has no jobs';
  return `${module} wakes the job ${job}, which it does not have. ${known}`;
}
