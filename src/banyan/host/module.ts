// A module as one registration record: its contract, what it stands on, and one function that puts its parts
// together. The library boots a host from a list of these and knows nothing else of them.

import type { Logger } from 'pino';
import type { DependencyContainer } from 'tsyringe';
import type { Client } from '../calls/ref.ts';
import type { Contract } from '../contract/contract.ts';
import type { Handlers } from '../contract/handlers.ts';
import type { Listener } from '../events/listener.ts';
import type { SessionSigner } from '../identity/session-token.ts';
import type { Job } from '../jobs/job.ts';
import type { LeasedJob } from '../jobs/leased.ts';
import type { Limits } from '../limits/limits.ts';
import type { SessionEnds } from '../placement/session-ends.ts';
import type { RoleSchema } from '../postgres/role-schema.ts';
import type { Saga } from '../saga/definition.ts';
import type { Engine } from '../saga/engine.ts';
import type { Sql, Store } from '../store/store.ts';
import type { Count, LabelValues, MetricSample, Observe } from '../telemetry/metrics.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';

export interface SessionAuthority extends SessionSigner, SessionEnds {}

/** What the library gives a module: its own things, and refs to the modules it declared in `uses`. What is opened here is closed here. */
export interface Kit<PrismaClient = unknown> {
  readonly module: string;
  /** `monolith` or `<module>-<n>`: where this code runs, for logs and timelines. */
  readonly hostId: string;
  /** The module's own: its classes are tokens, each registered with a factory, and resolved by type. */
  readonly container: DependencyContainer;
  readonly store: Store<PrismaClient>;
  readonly log: Logger;
  /** Who tried what, and what came of it: sign-ins, what was refused, whose rights changed. Never a secret. */
  readonly security: SecurityLog;
  /** A client of another module; whether it is near or far is decided on every call. */
  ref<C extends Contract>(contract: C): Client<C>;
  /** SQL in one of the module's extra `schemas`, under that schema's own role, by so many connections at most. */
  outside(schema: RoleSchema, most: number): Sql;
  /** Runs the job `name` of this module soon instead of at its next turn. */
  wake(job: string): void;
  /** A job over rows of the module's own table, each leased while it is in work. */
  leasedJob<J>(spec: LeasedJob<J>): Job;
  /** The engine of the module's saga, with its job and its gauge: it runs without more. One table of steps a module. */
  saga<D>(table: Saga<D>): Engine<D>;
  /** Limits against abuse, counted in the module's store by all hosts together. */
  readonly limits: Limits;
  /** Signs sessions by the key of the moment, and ends them: for the module that `App.sessions` names, and no other. */
  readonly sessions: SessionAuthority;
  /** What makes texts that `module` alone can read, wherever they lie: a compact JWE. */
  sealFor(module: string): (text: string) => Promise<string>;
  /** False while a host of the version before, which opens nothing, may have to: during an upgrade, where one is let in. */
  opensSeals(module: string): boolean;
  /** Opens a text that was sealed for this module. Rejects with SealBroken where it was not, or is no more. */
  unseal(text: string): Promise<string>;
  /** A number under /metrics, read when somebody scrapes: one value for each set of labels. */
  gauge(name: string, help: string, labels: readonly string[], read: () => Promise<MetricSample[]>): void;
  /** A counter under /metrics, by what raises it. Its name begins with the module's; labels with their values. */
  counter(name: `${string}_total`, help: string, labels?: LabelValues): Count;
  /** How long something takes, under /metrics. Its name begins with the module's; `upTo`: edges of the buckets, in seconds. */
  seconds(
    name: `${string}_seconds`,
    help: string,
    labels: readonly string[],
    upTo: readonly number[],
  ): Observe;
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
  /** The class that Prisma generates: the library makes one client of it, over the module's own pool. */
  readonly prisma?: PrismaClass;
  /** PostgreSQL schemas of the module's outside (a sandbox it runs for a third party), each with a role of its own. */
  readonly schemas?: readonly RoleSchema[];
  /** Puts the module together, once a host and before anybody asks it; it only makes things and waits for nothing. */
  setup(kit: Kit<Made<PrismaClass>>): Parts<C>;
}

export type Module = ModuleSpec<Contract, new () => unknown>;

export function defineModule<C extends Contract, PrismaClass = undefined>(
  spec: ModuleSpec<C, PrismaClass>,
): Module {
  return spec as unknown as Module;
}
