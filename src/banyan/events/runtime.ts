// The events of one module on one host, put together: its relay and its consumer as tasks that the host starts
// and stops, the wake-up after a commit, the numbers. Where the tasks run is a matter of economy; with none
// running, or two, nothing is lost, doubled or inverted.

import type { Pool } from 'pg';
import { childOf } from '../context/trace.ts';
import type { Contract } from '../contract/contract.ts';
import type { EventLog, LogLogger, Subscription } from '../log/port.ts';
import type { InnerStore } from '../store/store.ts';
import { noSecurityLog, type SecurityLog } from '../telemetry/security-log.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';
import { Consumer } from './consumer.ts';
import { Effect, type InboxStep } from './effect.ts';
import { Inbox } from './inbox.ts';
import type { Listener } from './listener.ts';
import type { ModuleEvents } from './module-events.ts';
import { forgetObstacle, noteObstacle } from './obstacles.ts';
import { type EventTask, persistent } from './persistent.ts';
import { type Progress, type ProgressMark, readProgress } from './progress.ts';
import { Reader } from './reading.ts';
import { Refusals, type RefusedPart } from './refusals.ts';
import { channelOf, Relay, type RelayStep, type SentEvent } from './relay.ts';
import { forget } from './retention.ts';
import { Retries } from './retries.ts';
import { Semaphore } from './semaphore.ts';
import { type EventStats, readStats } from './stats.ts';
import { Waiting } from './waiting.ts';

export interface EventRuntimeOptions {
  readonly contract: Contract;
  readonly listeners: readonly Listener[];
  /** Every contract that this host knows: what is published, for the check at boot. */
  readonly contracts: readonly Contract[];
  readonly store: InnerStore;
  readonly eventLog: EventLog;
  readonly hostId: string;
  readonly log: LogLogger;
  readonly tracing?: Tracing;
  readonly security?: SecurityLog;
  /** Events handled at once. Default 3: two of the pool's five connections stay for requests. */
  readonly concurrency?: number;
  /** Tests: named steps at which to kill, freeze or count. */
  readonly steps?: {
    readonly relay?: (step: RelayStep, ids: readonly string[]) => Promise<void> | void;
    readonly inbox?: (step: InboxStep, ids: readonly string[]) => Promise<void> | void;
  };
  /** Tests: shorter waits. */
  readonly timing?: { readonly leaseMs?: number; readonly pollMs?: number; readonly earlyMs?: number };
}

export interface EventRuntime {
  /** Sends what the module publishes. */
  readonly relay: EventTask;
  /** Handles what the module listens to, and retries it. */
  readonly consumers: EventTask;
  readonly topics: readonly string[];
  /** Something was committed: after the commit, never inside the transaction. Cheap, never throws. */
  wake(): void;
  stats(): Promise<EventStats>;
  /** Since that mark. */
  progress(since?: ProgressMark): Promise<Progress>;
  /** What the log does not let this process do. */
  refused(): readonly RefusedPart[];
  /** For operators: wherever the tasks run, what is decided about the store takes effect. */
  readonly parts: ModuleEvents;
  /** Since this process began. */
  counters(): { sent: number; handled: number; failed: number };
  close(): Promise<void>;
}

const FORGET_EVERY_MS = 10 * 60_000;

/** Throws when a listener waits for an event that no contract publishes; the message names both. */
export function createEventRuntime(options: EventRuntimeOptions): EventRuntime {
  const { contract, listeners, contracts, store, eventLog, hostId, log, steps, timing = {} } = options;
  const { module } = contract;
  const tracing = options.tracing ?? noTracing;
  const { pool } = store;
  const reader = new Reader(module, listeners, contracts);
  const inbox = new Inbox(module, pool, hostId);
  const waiting = new Waiting(module, pool, hostId);
  const semaphore = new Semaphore(options.concurrency ?? 3);
  const effect = new Effect({ module, store, tracing, step: steps?.inbox });
  const retries = new Retries({ module, pool, reader, waiting, effect, semaphore, log, ...timing });
  const consumer = new Consumer({
    module,
    reader,
    inbox,
    effect,
    semaphore,
    log,
    onWaiting: () => retries.wake(),
  });
  const refusals = new Refusals(pool, module, hostId, log, options.security ?? noSecurityLog);
  const relay = new Relay({
    module,
    topic: `${module}.events`,
    pool,
    eventLog,
    hostId,
    log,
    step: steps?.relay,
    onRound: (error) => (error === undefined ? refusals.over('relay') : refusals.note('relay', error)),
    onSent: (events) => recordWaits(tracing, module, events),
    ...timing,
  });
  const notify = coalesced(() =>
    pool.query('SELECT pg_notify($1, $2)', [channelOf(module), '']).then(
      () => {},
      (error) => log.debug({ err: error, module }, 'the relay was not told; it will look by itself'),
    ),
  );
  const forgetter = setInterval(() => void forgetOld(pool, module, log), FORGET_EVERY_MS).unref();
  const consumers = consuming(options, { reader, inbox, waiting, consumer, retries, refusals });

  return {
    relay,
    consumers,
    topics: reader.topics,
    wake: () => (relay.leading ? relay.wake() : notify()),
    stats: () => readStats(module, pool, eventLog, reader.topics),
    progress: (since) => readProgress(module, pool, since),
    refused: () => refusals.standing,
    parts: { contract, listeners, store, reader, effect, wake: () => retries.wake() },
    counters: () => ({
      sent: relay.sent,
      handled: consumer.handled + retries.handled,
      failed: consumer.failed,
    }),
    async close() {
      clearInterval(forgetter);
      await Promise.all([relay.close(), consumers.stop()]);
      await notify.idle();
    },
  };
}

interface Consuming {
  readonly reader: Reader;
  readonly inbox: Inbox;
  readonly waiting: Waiting;
  readonly consumer: Consumer;
  readonly retries: Retries;
  readonly refusals: Refusals;
}

/** Everything that this module listens to, from the log into its inbox, and what waits there. */
function consuming(
  { contract: { module }, listeners, store: { pool }, eventLog, hostId, log, steps }: EventRuntimeOptions,
  { reader, inbox, waiting, consumer, retries, refusals }: Consuming,
): EventTask {
  const subscribe = (): Promise<Subscription> =>
    eventLog.subscribe({
      group: module,
      topics: reader.topics,
      onBatch: (batch) => {
        refusals.over('consumer');
        return consumer.take(batch);
      },
      onRefused: (error) => refusals.note('consumer', error),
      onObstacle: (obstacle) => noteObstacle(pool, module, hostId, obstacle),
      onClear: (obstacle) => forgetObstacle(pool, module, obstacle),
      onCommit: steps?.inbox && ((moment) => steps.inbox!(`${moment}-offset`, [])),
    });
  return persistent(`consumer of ${module}`, log, {
    onFailure: (error) => refusals.note('consumer', error),
    async start() {
      if (reader.topics.length === 0) return undefined;
      await eventLog.ensureTopics(reader.topics);
      const types = listeners.map((listener) => listener.event.type);
      await inbox.meet(reader.topics, types);
      await waiting.versionsKnown(types);
      const subscription = await subscribe();
      await retries.start();
      return async () => {
        await Promise.all([subscription.close(), retries.stop()]);
      };
    },
  });
}

async function forgetOld(pool: Pool, module: string, log: LogLogger): Promise<void> {
  try {
    await forget(pool, module);
  } catch (error) {
    log.warn({ err: error, module }, 'old event rows were not removed');
  }
}

/** The waiting in the outbox as a span of its own, in the trace of the request that published. */
function recordWaits(tracing: Tracing, module: string, events: readonly SentEvent[]): void {
  if (!tracing.enabled) return;
  const endMs = Date.now();
  for (const { id, type, key, traceparent, time } of events) {
    if (!traceparent) continue;
    tracing.record({
      name: `outbox ${type}`,
      kind: 'producer',
      traceparent: childOf(traceparent),
      parent: traceparent.slice(36, 52),
      startMs: Date.parse(time),
      endMs,
      failed: false,
      module,
      keys: [key],
      attributes: { 'messaging.destination.name': `${module}.events`, 'messaging.message.id': id },
    });
  }
}

/** At most one at a time; calls meanwhile become one more. */
function coalesced(work: () => Promise<void>): (() => void) & { idle(): Promise<void> } {
  let running: Promise<void> | undefined;
  let again = false;
  const call = () => {
    if (running) {
      again = true;
      return;
    }
    running = (async () => {
      do {
        again = false;
        await work();
      } while (again);
      running = undefined;
    })();
  };
  return Object.assign(call, { idle: async () => running });
}
