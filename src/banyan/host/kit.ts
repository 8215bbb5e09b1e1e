// What a module is given when it is set up, made of the parts of this host. Guarantees: what the kit opened (worker pools,
// pools, the container) ends with the module, without a line of the module's own.
// It knows nothing of what a module does with it.
import 'reflect-metadata';
import type { Logger } from 'pino';
import { container as root } from 'tsyringe';
import { type Client, createRef } from '../calls/ref.ts';
import { isTrial } from '../context/trial.ts';
import type { Contract } from '../contract/contract.ts';
import type { Job } from '../jobs/job.ts';
import { createLeasedJob } from '../jobs/leased.ts';
import type { JobTask } from '../jobs/loop.ts';
import { exemptions } from '../limits/address.ts';
import { createLimits } from '../limits/limits.ts';
import { Engine } from '../saga/engine.ts';
import { type Style, styleWhen } from '../saga/style.ts';
import { createPool, sqlOf } from '../store/create.ts';
import type { InnerStore } from '../store/store.ts';
import { type Metrics, SAGAS_OPEN } from '../telemetry/metrics.ts';
import { noSecurityLog } from '../telemetry/security-log.ts';
import type { BootOptions } from './boot-options.ts';
import type { Kit, Module } from './module.ts';
import { ModuleJobs } from './module-jobs.ts';
import { moduleKeys } from './module-keys.ts';

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

/** @param onSessionsEnded called after commits that ended sessions. */
export function openKit(
  module: Module,
  store: InnerStore,
  log: Logger,
  options: BootOptions,
  onSessionsEnded?: () => void,
): OpenKit {
  const name = module.contract.module;
  const container = root.createChildContainer();
  const pools: ReturnType<typeof createPool>[] = [];
  const jobs = new ModuleJobs(name, log, options.tracing, (failed) =>
    options.metrics?.attempts.note(name, failed),
  );
  const gauge: Kit['gauge'] = (...one) => options.metrics?.gauge(...one);

  const kit: Kit = {
    module: name,
    hostId: options.hostId,
    container,
    store,
    log,
    ...moduleKeys(name, options, onSessionsEnded),
    security: options.security ?? noSecurityLog,
    ref: (wanted) => refTo(wanted, module, options),
    wake: (job) => {
      if (!isTrial()) jobs.wake(job);
    },
    gauge,
    counter: (metric, help, labels) =>
      unlessTried(options.metrics?.counter(ownName(name, metric), help, labels)),
    seconds: (metric, help, labels, upTo) =>
      unlessTried(options.metrics?.histogram(ownName(name, metric), help, labels, upTo)),
    limits: createLimits({
      sql: store.asyncCommit,
      schema: name,
      isExempt: options.isExempt ?? exemptions(),
    }),
    outside({ schema }, most) {
      const pool = createPool(options.schemaUrl(schema), schema, log, most);
      pools.push(pool);
      return sqlOf(pool);
    },
    leasedJob: (spec) => createLeasedJob(spec, { store, workers: jobs.workers(spec.name, spec.atOnce), log }),
    saga(table) {
      if (jobs.ofSaga)
        throw new Error(
          `${name} has a saga already. Its rows do not say which table of steps they follow: give the second saga a module of its own.`,
        );
      const engine = new Engine({
        saga: table,
        store,
        workers: jobs.workers('coordinate', SAGAS_AT_ONCE),
        log,
        ...(options.metrics && { onBegun: countBegun(options.metrics, name) }),
      });
      jobs.ofSaga = engine.job('coordinate');
      measureSagas(gauge, name, engine);
      return engine;
    },
  };

  return {
    kit,
    begin: (more) => jobs.begin(more),
    settle: () => jobs.settle(),
    async close() {
      await Promise.all(pools.map((pool) => pool.end()));
      await container.dispose();
    },
  };
}

/** Modules of one host have one registry. */
function ownName(module: string, name: string): string {
  if (name.startsWith(`${module}_`)) return name;
  throw new Error(`${module} counts ${name}: begin the name with ${module}_`);
}

/** Nothing of a trial has happened; where nobody measures there is nothing to raise. */
function unlessTried<A extends readonly unknown[]>(note: ((...what: A) => void) | undefined) {
  return (...what: A): void => {
    if (!isTrial()) note?.(...what);
  };
}

function refTo<C extends Contract>(
  wanted: C,
  module: Module,
  { local, remote, placements, strict, metrics }: BootOptions,
): Client<C> {
  const caller = module.contract.module;
  if (!module.uses?.some((one) => one.module === wanted.module)) {
    throw new Error(`${caller} asks for a ref to ${wanted.module}; name it in "uses" of its module.ts`);
  }
  const stats = metrics?.stats;
  return createRef(wanted, { caller, local: local.get(wanted.module), remote, placements, stats, strict });
}

/** One look at the store serves all numbers of a scrape. */
const FRESH_MS = 1_000;

/** One name for the sagas of all modules: `module` tells them apart. */
function measureSagas(gauge: Kit['gauge'], module: string, engine: Pick<Engine<never>, 'count'>): void {
  let looked = Number.NEGATIVE_INFINITY;
  let found: ReturnType<typeof engine.count> | undefined;
  const look = () => {
    if (!found || performance.now() - looked > FRESH_MS) {
      looked = performance.now();
      found = engine.count();
    }
    return found;
  };
  const help = 'Sagas that are not over, by state; stuck: past their deadline';
  gauge(SAGAS_OPEN, help, ['style', 'step', 'state', 'module'], async () =>
    (await look()).map(({ driven, step, state, count }) => ({
      labels: { style: styleWhen(driven), step, state, module },
      value: count,
    })),
  );
  const oldest = 'How long the oldest of a state has stood at its step';
  gauge('banyan_sagas_oldest_seconds', oldest, ['state', 'module'], async () =>
    [...Map.groupBy(await look(), ({ state }) => state)].map(([state, some]) => ({
      labels: { state, module },
      value: Math.max(...some.map(({ oldestSeconds }) => oldestSeconds)),
    })),
  );
}

function countBegun({ counter }: Metrics, module: string): (style: Style) => void {
  const begun = counter('banyan_sagas_begun_total', 'Sagas that began, by style', { module: [], style: [] });
  return (style) => begun({ module, style });
}
