// What a module is given when it is set up, made of the parts of this host. Guarantees: what the kit opened (lanes,
// pools, the container) ends with the module, without a line of the module's own.
// It knows nothing of what a module does with it.
import 'reflect-metadata';
import type { Logger } from 'pino';
import { container as root } from 'tsyringe';
import { type Client, createRef } from '../calls/ref.ts';
import type { Contract } from '../contract/contract.ts';
import type { Job } from '../jobs/job.ts';
import { Lane } from '../jobs/lane.ts';
import { createLeasedJob } from '../jobs/leased.ts';
import { createJobTask, type JobTask } from '../jobs/loop.ts';
import { exemptions } from '../limits/address.ts';
import { createLimits } from '../limits/limits.ts';
import { Engine } from '../saga/engine.ts';
import { styleWhen } from '../saga/style.ts';
import { createPool, sqlOf } from '../store/create.ts';
import type { InnerStore } from '../store/store.ts';
import type { BootOptions } from './boot-options.ts';
import type { Kit, Module } from './module.ts';

/** Sagas that one host works on at a time; each waits for one answer and holds no connection meanwhile. */
const SAGAS_AT_ONCE = 128;

export interface OpenKit {
  readonly kit: Kit;
  /** The loops of the module's jobs, the kit's own among them. What `setup` woke is woken here. */
  begin(jobs: readonly Job[]): JobTask[];
  /** Aborts what is in work, and waits until it has let go. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export function openKit(module: Module, store: InnerStore, log: Logger, options: BootOptions): OpenKit {
  const name = module.contract.module;
  const container = root.createChildContainer();
  const lanes: Lane[] = [];
  const pools: ReturnType<typeof createPool>[] = [];
  const own: Job[] = [];
  const tasks = new Map<string, JobTask>();
  /** What was woken by `setup`, which names the jobs only when it is done; undefined: their names are known. */
  let early: Set<string> | undefined = new Set();
  const wake = (job: string) => {
    if (early) return void early.add(job);
    const task = tasks.get(job);
    if (!task) throw new Error(noSuchJob(name, job, [...tasks.keys()]));
    task.wake();
  };
  const laneOf = (job: string, limit: number) => {
    const { tracing } = options;
    const lane = new Lane({
      name: `${name}/${job}`,
      limit,
      wake: () => tasks.get(job)?.wake(),
      log,
      tracing,
    });
    lanes.push(lane);
    return lane;
  };
  const gauge: Kit['gauge'] = (...one) => options.metrics?.gauge(...one);

  const kit: Kit = {
    module: name,
    hostId: options.hostId,
    container,
    store,
    log,
    ref: (wanted) => refTo(wanted, module, options),
    wake,
    gauge,
    limits: createLimits({ sql: store.unhurried, schema: name, isExempt: options.isExempt ?? exemptions() }),
    outside({ schema }, most) {
      const pool = createPool(options.schemaUrl(schema), schema, log, most);
      pools.push(pool);
      return sqlOf(pool);
    },
    leasedJob: (spec) => createLeasedJob(spec, { store, lane: laneOf(spec.name, spec.atOnce), log }),
    saga(table) {
      const job = 'coordinate';
      if (own.length > 0)
        throw new Error(
          `${name} has a saga already. Its rows do not say which table of steps they follow: give the second saga a module of its own.`,
        );
      const engine = new Engine({ saga: table, store, lane: laneOf(job, SAGAS_AT_ONCE), log });
      own.push(engine.job(job));
      measureSagas(gauge, name, engine);
      return engine;
    },
  };

  return {
    kit,
    begin(jobs) {
      for (const job of [...own, ...jobs]) {
        if (tasks.has(job.name)) throw new Error(`${name} has two jobs of the name ${job.name}`);
        tasks.set(job.name, createJobTask(job, log));
      }
      const woken = early ?? [];
      early = undefined;
      for (const job of woken) wake(job);
      return [...tasks.values()];
    },
    async settle() {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.end()));
      await container.dispose();
    },
  };
}

function noSuchJob(module: string, job: string, jobs: readonly string[]): string {
  const known = jobs.length > 0 ? `Its jobs are: ${jobs.join(', ')}` : 'It has no jobs';
  return `${module} wakes the job ${job}, which it does not have. ${known}`;
}

function refTo<C extends Contract>(
  wanted: C,
  module: Module,
  { local, remote, placements, strict }: BootOptions,
): Client<C> {
  const caller = module.contract.module;
  if (!module.uses?.some((one) => one.module === wanted.module)) {
    throw new Error(`${caller} asks for a ref to ${wanted.module}; name it in "uses" of its module.ts`);
  }
  return createRef(wanted, { caller, local: local.get(wanted.module), remote, placements, strict });
}

/** One number for the sagas of all modules: `module` tells them apart. */
function measureSagas(gauge: Kit['gauge'], module: string, engine: Pick<Engine<never>, 'count'>): void {
  const help = 'Sagas that are not over, by state; stuck: past their deadline';
  gauge('banyan_sagas_open', help, ['style', 'step', 'state', 'module'], async () =>
    (await engine.count()).map(({ driven, step, state, count }) => ({
      labels: { style: styleWhen(driven), step, state, module },
      value: count,
    })),
  );
}
