// Boots one module in this process: its store, its kit, its dispatcher, its work without a request.
// Another module can get nothing out of it but what the dispatcher answers.
import { callSpans } from '../calls/call-span.ts';
import type { Dispatcher } from '../calls/dispatcher.ts';
import { createDispatcher } from '../calls/dispatcher.ts';
import type { Call } from '../context/call.ts';
import type { Problem } from '../contract/problem.ts';
import { createPublisher } from '../events/publisher.ts';
import { createEventRuntime, type EventRuntime } from '../events/runtime.ts';
import { toProblem } from '../http/problems.ts';
import type { BackgroundTask } from '../jobs/background.ts';
import type { ModulePool } from '../postgres/module-pool.ts';
import { createStore } from '../store/create.ts';
import { runRolledBack, type TriedEvent } from '../store/rolled-back.ts';
import type { BootOptions } from './boot-options.ts';
import { openKit } from './kit.ts';
import type { Module } from './module.ts';
import { SessionCarrier } from './session-carrier.ts';

type AnyHandlers = Parameters<typeof createDispatcher>[1];

/** What an operation answered that was only tried, and which events it would have published. */
export interface DispatchedRolledBack {
  readonly result: { readonly output: unknown } | { readonly problem: Problem };
  readonly events: readonly TriedEvent[];
  /** Why it says nothing of the operation: it met somebody's lock, its budget, a lost connection. */
  readonly disturbed: string | undefined;
}

export interface RunningModule {
  readonly name: string;
  readonly dispatcher: Dispatcher;
  /** As `dispatcher.dispatch`, with everything that it does rolled back. Never rejects. */
  dispatchRolledBack(
    operation: string,
    input: unknown,
    call: Call,
    budgetMs?: number,
  ): Promise<DispatchedRolledBack>;
  /** All that it sends to its store goes through here. */
  readonly pool: ModulePool;
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
  let wakeAll = () => {};
  const store = createStore({
    module: name,
    url: options.databaseUrl,
    prisma: (adapter) => (module.prisma ? clientOf(module.prisma, adapter) : undefined),
    publisher: createPublisher(contract),
    onCommit: () => wakeAll(),
    strict: options.strict,
    log,
    hostId: options.hostId,
  });
  const carrier =
    options.signsSessions && options.carriesTo
      ? new SessionCarrier({ module: name, pool: store.pool, control: options.carriesTo, log })
      : undefined;
  const open = openKit(module, store, log, options, carrier?.wake);
  const { operations, listeners = [], jobs = [], seed, close } = module.setup(open.kit);
  const dispatcher = createDispatcher(contract, operations as unknown as AnyHandlers, {
    codec: options.codec,
    security: options.security,
    observe: callSpans(options.tracing, 'internal'),
    mirror: options.mirrorOf?.(contract),
  });
  const events = createEventRuntime({
    contract,
    listeners,
    contracts: options.contracts,
    store,
    eventLog: options.eventLog,
    hostId: options.hostId,
    // It says the module itself.
    log: options.log,
    tracing: options.tracing,
    security: options.security,
  });
  wakeAll = () => events.wake();

  return {
    name,
    dispatcher,
    async dispatchRolledBack(operation, input, call, budgetMs) {
      const work = () => dispatcher.dispatch(operation, input, call);
      const { outcome, ...rest } = await runRolledBack(work, budgetMs === undefined ? {} : { budgetMs });
      const result = 'answer' in outcome ? { output: outcome.answer } : { problem: toProblem(outcome.error) };
      return { result, ...rest };
    },
    pool: store.pool,
    events,
    tasks: [events.relay, events.consumers, ...open.begin(jobs)],
    seed: async () => seed?.(),
    ping: () => store.ping(),
    async close() {
      await events.close();
      await open.settle();
      await close?.();
      await carrier?.close();
      await open.close();
      await store.close();
    },
  };
}

/** The class is Prisma's for one schema; that its options take an adapter is so for each. */
function clientOf(prisma: NonNullable<Module['prisma']>, adapter: unknown): unknown {
  const Client = prisma as new (options: { adapter: unknown }) => unknown;
  return new Client({ adapter });
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
