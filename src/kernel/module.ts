// A module as one registration record: its contract, what it stands on, and one function that puts its parts
// together. The kernel boots a host from a list of these and knows nothing else of them.

import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { DependencyContainer } from 'tsyringe';
import type { CallOf, Download } from './calls/call.ts';
import type { Client } from './calls/ref.ts';
import type {
  Contract,
  DataOf,
  EventDefinition,
  InputOf,
  OperationSpec,
  OutputOf,
} from './contract/contract.ts';
import type { Delivery } from './events/envelope.ts';
import type { LeasedJob } from './jobs/leased.ts';
import type { Limits } from './limits/limits.ts';
import type { Saga } from './saga/definition.ts';
import type { Engine } from './saga/engine.ts';
import { type Style, styleOf } from './saga/style.ts';
import type { KernelSchema } from './store/kernel-schema.ts';
import type { Store, Transaction } from './store/store.ts';
import type { Reading } from './telemetry/metrics.ts';

/** What answers an operation: JSON, or a download. */
export type Handler<O extends OperationSpec> = (
  input: InputOf<O>,
  call: CallOf<O>,
) => Promise<NonNullable<O['download']> extends true ? Download : OutputOf<O>>;

export type Handlers<C extends Contract> = {
  readonly [K in keyof C['operations']]: Handler<C['operations'][K]>;
};

/** How a consumer treats an event whose handling failed. */
export interface RetryPolicy {
  /** Attempts in all before the event is a dead letter. Default 8. */
  readonly attempts: number;
  /** First wait in milliseconds; doubles with jitter up to `maxMs`. Defaults 200 and 60 000. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** After a dead letter: hold the later events of its key (default) or let them go on. */
  readonly afterDeath: 'hold-key' | 'go-on';
}

/** One event that a module listens to. The handler runs in the transaction that marks the event handled. */
export interface Listener<E extends EventDefinition = EventDefinition> {
  readonly event: E;
  readonly handle: (
    data: DataOf<E>,
    context: { readonly tx: Transaction; readonly delivery: Delivery },
  ) => Promise<void>;
  readonly retry?: Partial<RetryPolicy>;
  /** Past events may be replayed to this listener. Default false. */
  readonly replayable?: boolean;
  /** The handler uses `tx.prisma`. Default false: a plain transaction, which costs half the time of Prisma's. */
  readonly prisma?: boolean;
  /**
   * In a transaction of several events it may run beside the listeners of other keys, their statements going out in
   * turns: so it needs no savepoint, and between two of its statements it relies on no row that another key's events
   * change (a row lock does not keep out the own transaction). Default false: one listener after the other.
   */
  readonly interleaves?: boolean;
}

type ListenerOptions<E extends EventDefinition> = Pick<
  Listener,
  'retry' | 'replayable' | 'prisma' | 'interleaves'
> &
  ('saga' extends keyof DataOf<E> ? { readonly style?: Style } : { readonly style?: never });

/**
 * Keeps the type of the event for its handler. `style`: it acts in sagas of that style alone, as the event tells it;
 * the events of all others pass it by. Default: in both. This is the one place where a listener says so.
 */
export function on<E extends EventDefinition>(
  event: E,
  handle: Listener<E>['handle'],
  options: NoInfer<ListenerOptions<E>> = {} as ListenerOptions<E>,
): Listener {
  const { style, ...more } = options;
  const own: Listener<E>['handle'] = async (data, context) => {
    if (styleOf(data as { saga?: string }) === style) await handle(data, context);
  };
  return { event, handle: style ? own : handle, ...more } as unknown as Listener;
}

/** Work that nobody asks for. It claims its rows in the database, so any number of replicas may run it. */
export interface Job {
  readonly name: string;
  /** How often it looks when nothing woke it, in milliseconds. */
  readonly everyMs: number;
  /** Answers whether there may be more to do at once. */
  readonly run: (signal: AbortSignal) => Promise<boolean>;
}

/** What the kernel gives a module: its own things, and refs to the modules it declared in `uses`. What is opened here is closed here. */
export interface Kit<PrismaClient = unknown> {
  readonly module: string;
  /** `monolith` or `<module>-<n>`: where this code runs, for logs and timelines. */
  readonly hostId: string;
  /** The module's own: its classes are tokens, each registered with a factory, and resolved by type. */
  readonly container: DependencyContainer;
  readonly store: Store<PrismaClient>;
  readonly log: Logger;
  /** A client of another module; whether it is near or far is decided on every call. */
  ref<C extends Contract>(contract: C): Client<C>;
  /** A pool in one of the module's extra `schemas`, under that schema's own role. */
  pool(schema: KernelSchema, most: number): Pool;
  /** Runs the job `name` of this module soon instead of at its next turn. */
  wake(job: string): void;
  /** A job over rows of the module's own table, each leased while it is in work. */
  leasedJob<J>(spec: LeasedJob<J>): Job;
  /** The engine of the module's saga, with its job and its gauge: it runs without more. One table of steps a module. */
  saga<D>(table: Saga<D>): Engine<D>;
  /** Limits against abuse, counted in the module's store by all hosts together. */
  readonly limits: Limits;
  /** A number under /metrics, read when somebody scrapes: one value for each set of labels. */
  gauge(name: string, help: string, labels: readonly string[], read: () => Promise<Reading[]>): void;
}

/** What a module's `setup` answers: what it does when it is asked, when it hears of something, and by itself. */
export interface Parts<C extends Contract = Contract> {
  readonly operations: Handlers<C>;
  readonly listeners?: readonly Listener[];
  readonly jobs?: readonly Job[];
  /** Fills an empty store; called under an advisory lock, at every boot, so it must be repeatable. */
  readonly seed?: () => Promise<void>;
  /** Ends what the module opened by itself. What the kit opened ends without it. */
  readonly close?: () => void | Promise<void>;
}

/** What a class makes. (A bound on `Class` would keep TypeScript from inferring Prisma's, whose constructor is generic.) */
type Made<Class> = Class extends abstract new (...options: never) => infer Instance ? Instance : undefined;

export interface ModuleSpec<C extends Contract = Contract, PrismaClass = unknown> {
  readonly contract: C;
  /** The modules it calls synchronously. No cycle; the boundary test compares with the code. */
  readonly uses?: readonly Contract[];
  /** The class that Prisma generates: the kernel makes one client of it, over the module's own pool. */
  readonly prisma?: PrismaClass;
  /** PostgreSQL schemas of the module's outside (a sandbox it runs for a third party), each with a role of its own. */
  readonly schemas?: readonly KernelSchema[];
  /** Puts the module together, once a host and before anybody asks it; it only makes things and waits for nothing. */
  setup(kit: Kit<Made<PrismaClass>>): Parts<C>;
}

export type Module = ModuleSpec<Contract, new () => unknown>;

export function defineModule<C extends Contract, PrismaClass = undefined>(
  spec: ModuleSpec<C, PrismaClass>,
): Module {
  return spec as unknown as Module;
}
