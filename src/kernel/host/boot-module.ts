// Boots one module in this process: its container, its store, its dispatcher, its work without a request.
// Another module can get nothing out of the container but what the dispatcher answers.
import 'reflect-metadata';
import type { Logger } from 'pino';
import { container as root } from 'tsyringe';
import type { Dispatcher } from '../calls/dispatcher.ts';
import { createDispatcher } from '../calls/dispatcher.ts';
import { type Client, createRef, type Remote } from '../calls/ref.ts';
import type { Contract } from '../contract/contract.ts';
import type { EventLog } from '../events/log/port.ts';
import { createPublisher } from '../events/publisher.ts';
import { createEventRuntime, type EventRuntime } from '../events/runtime.ts';
import { createLeasedJob } from '../jobs/leased.ts';
import { createJobTask } from '../jobs/loop.ts';
import { Lane } from '../lane.ts';
import { exemptions, type IsExempt } from '../limits/address.ts';
import { createLimits } from '../limits/limits.ts';
import type { Kit, Module } from '../module.ts';
import type { Placements } from '../placement/snapshot.ts';
import { createStore } from '../store/create.ts';
import { callSpans } from '../telemetry/call-span.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { BackgroundTask } from './background.ts';

export interface BootOptions {
  readonly hostId: string;
  readonly log: Logger;
  /** Connection URL of the module's runtime role. */
  readonly databaseUrl: string;
  /** Connection URL of an extra schema of the module. */
  readonly schemaUrl: (schema: string) => string;
  readonly placements: Placements;
  readonly remote: Remote;
  /** Dispatchers of the modules booted so far: what it uses is among them if this host runs it. */
  readonly local: ReadonlyMap<string, Dispatcher>;
  readonly codec: boolean;
  readonly strict: boolean;
  readonly eventLog: EventLog;
  /** Every contract of the product: what may be listened to. */
  readonly contracts: readonly Contract[];
  readonly tracing: Tracing;
  /** Whose requests limits do not count. Default: those from this machine. */
  readonly isExempt?: IsExempt;
  readonly metrics?: Metrics;
}

export interface RunningModule {
  readonly name: string;
  readonly dispatcher: Dispatcher;
  readonly tasks: readonly BackgroundTask[];
  readonly events: EventRuntime;
  /** Fills an empty store. */
  seed(): Promise<void>;
  /** Rejects when the store cannot be reached. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export function bootModule(module: Module, options: BootOptions): RunningModule {
  const { contract } = module;
  const name = contract.module;
  const log = options.log.child({ module: name });
  const container = root.createChildContainer();
  let wakeAll = () => {};
  const store = createStore({
    module: name,
    url: options.databaseUrl,
    prisma: module.prisma ?? (() => undefined),
    publisher: createPublisher(contract),
    onCommit: () => wakeAll(),
    strict: options.strict,
    log,
    hostId: options.hostId,
  });
  const lanes: Lane[] = [];
  const jobs = new Map<string, ReturnType<typeof createJobTask>>();
  const kit: Kit = {
    module: name,
    hostId: options.hostId,
    store,
    log,
    ref: (wanted) => refTo(wanted, module, options),
    schemaUrl: options.schemaUrl,
    wake: (job) => jobs.get(job)?.wake(),
    limits: createLimits({ sql: store.unhurried, schema: name, isExempt: options.isExempt ?? exemptions() }),
    gauge: (...gauge) => options.metrics?.gauge(...gauge),
    lane: (job, limit) => {
      const wake = () => jobs.get(job)?.wake();
      const lane = new Lane({ name: `${name}/${job}`, limit, wake, log, tracing: options.tracing });
      lanes.push(lane);
      return lane;
    },
    leasedJob: (spec) => createLeasedJob(spec, { store, lane: kit.lane(spec.name, spec.atOnce), log }),
  };
  module.register?.(container, kit);
  const handlers = module.operations(container, kit) as unknown as Parameters<typeof createDispatcher>[1];
  const dispatcher = createDispatcher(contract, handlers, {
    codec: options.codec,
    observe: callSpans(options.tracing, 'internal'),
  });
  for (const job of module.jobs?.(container, kit) ?? []) jobs.set(job.name, createJobTask(job, log));
  const events = createEventRuntime({
    contract,
    listeners: module.listeners?.(container, kit) ?? [],
    contracts: options.contracts,
    store,
    eventLog: options.eventLog,
    hostId: options.hostId,
    // It says the module itself.
    log: options.log,
    tracing: options.tracing,
  });
  wakeAll = () => events.wake();

  return {
    name,
    dispatcher,
    events,
    tasks: [events.relay, events.consumers, ...jobs.values()],
    seed: async () => module.seed?.(container, kit),
    ping: () => store.ping(),
    async close() {
      await events.close();
      await Promise.all(lanes.map((lane) => lane.close()));
      await module.close?.(container);
      await store.close();
      await container.dispose();
    },
  };
}

function refTo<C extends Contract>(
  wanted: C,
  module: Module,
  { local, remote, placements, strict }: BootOptions,
): Client<C> {
  const caller = module.contract.module;
  if (!module.uses?.some((one) => one.module === wanted.module)) {
    throw new Error(
      `${caller} asks for a ref to ${wanted.module}; name it in "uses" of src/modules/${caller}/module.ts`,
    );
  }
  return createRef(wanted, { caller, local: local.get(wanted.module), remote, placements, strict });
}

/** Callees before callers; a cycle is an error that names it. */
export function inOrderOfUse(modules: readonly Module[]): Module[] {
  const byName = new Map(modules.map((module) => [module.contract.module, module]));
  const done = new Set<string>();
  const order: Module[] = [];
  const visit = (module: Module, path: readonly string[]) => {
    const name = module.contract.module;
    if (path.includes(name)) {
      throw new Error(
        `Synchronous calls form a cycle: ${[...path.slice(path.indexOf(name)), name].join(' -> ')}. Turn one of them into an event.`,
      );
    }
    if (done.has(name)) return;
    for (const used of module.uses ?? []) {
      const next = byName.get(used.module);
      if (next) visit(next, [...path, name]);
    }
    done.add(name);
    order.push(module);
  };
  for (const module of modules) visit(module, []);
  return order;
}
