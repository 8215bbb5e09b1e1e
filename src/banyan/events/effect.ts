// One attempt at one event: its turn is taken, the listener does its work, and all of it commits together with
// the events that the listener publishes. The same for an event fresh from the log and for a retry.
// Or one attempt at several events in one transaction: all of it commits, or nothing does.
import { currentFlow, type Flow, withFlow } from '../context/call.ts';
import { childOf, newTraceparent } from '../context/trace.ts';
import { isTrial } from '../context/trial.ts';
import type { InnerStore, Transaction } from '../store/store.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { Envelope } from './envelope.ts';
import { isTransient } from './failure.ts';
import type { Listener } from './listener.ts';
import { type Shared, Turns } from './turns.ts';

/** The boundaries at which a test may kill or freeze the process. */
export type InboxStep =
  | 'before-effect'
  | 'after-take'
  | 'after-effect'
  | 'after-commit'
  | 'before-offset'
  | 'after-offset';

export interface EffectOptions {
  readonly module: string;
  readonly store: InnerStore;
  readonly tracing: Tracing;
  readonly step?: (step: InboxStep, ids: readonly string[]) => Promise<void> | void;
}

export interface Attempt {
  readonly listener: Listener;
  readonly envelope: Envelope;
  readonly topic: string;
  readonly attempt: number;
  readonly replay: boolean;
  /** Of its span (`spanOf`); whoever writes a failure down names it. */
  readonly traceparent: string;
  /** Inside the transaction, before the listener: false leaves the event to others. */
  readonly enter: (tx: Transaction) => Promise<boolean>;
  /** Inside the transaction, after the listener. */
  readonly leave?: (tx: Transaction) => Promise<void>;
  /** How long the listener took: without the wait for a connection, the turn and the commit, which a group has once. */
  readonly took?: (ms: number) => void;
}

const DEADLINE_MS = 30_000;
const REPEATS = 5;

export class Effect {
  readonly #options: EffectOptions;
  readonly #turns = new Turns();

  constructor(options: EffectOptions) {
    this.#options = options;
  }

  /** True when the listener's work was committed, false when `enter` said no. Throws what the listener threw. */
  async attempt(one: Attempt): Promise<boolean> {
    for (let repeat = 1; ; repeat += 1) {
      try {
        return await this.#once(one);
      } catch (error) {
        if (!isTransient(error) || repeat === REPEATS) throw error;
      }
    }
  }

  /**
   * First attempts at several events in one transaction, each as if it were alone in it (turns.ts); `enter` answers
   * which of them have their turn. Answers what `enter` did once all is committed. When it throws nothing has
   * happened: what the listeners of the others would have done as well. It never tries again.
   */
  async together<T extends Shared>(
    some: readonly T[],
    enter: (tx: Transaction) => Promise<readonly T[]>,
    took: (one: T, ms: number) => void,
  ): Promise<readonly T[]> {
    const { store, step } = this.#options;
    const spans: (() => void)[] = [];
    await step?.('before-effect', idsOf(some));
    const handle = async (tx: Transaction, one: T) => {
      const { listener, envelope, topic } = one;
      const { flow, span } = this.#open(one, 1, false, spanOf(envelope));
      const delivery = { envelope, topic, attempt: 1, replay: false };
      await withFlow(flow, () => listener.handle(envelope.data as never, { tx, delivery }));
      const endMs = Date.now();
      spans.push(() => span(endMs, false));
    };
    const work = async (tx: Transaction) => {
      try {
        const turns = await enter(tx);
        await step?.('after-take', idsOf(turns));
        await this.#turns.take(turns, (one) => handle(tx, one), took);
        await step?.('after-effect', idsOf(turns));
        return turns;
      } catch (error) {
        // Else a conflict would make the store run all of it again, with its pauses.
        throw new Abandoned(error);
      }
    };
    const taken = await store
      .alone((tx) => work(tx as Transaction))
      .catch((error: unknown) => {
        throw error instanceof Abandoned ? error.reason : error;
      });
    for (const span of spans) span();
    if (taken.length > 0) await step?.('after-commit', idsOf(taken));
    return taken;
  }

  async #once(one: Attempt): Promise<boolean> {
    const { listener, envelope, topic, attempt, replay, traceparent, enter, leave, took } = one;
    const { store, step } = this.#options;
    const { flow, span } = this.#open(one, attempt, replay, traceparent);
    const work = async (tx: Transaction): Promise<boolean> => {
      if (!(await enter(tx))) return false;
      await step?.('after-take', [envelope.id]);
      const began = performance.now();
      await listener.handle(envelope.data as never, { tx, delivery: { envelope, topic, attempt, replay } });
      took?.(performance.now() - began);
      await leave?.(tx);
      await step?.('after-effect', [envelope.id]);
      return true;
    };
    let failed = true;
    try {
      await step?.('before-effect', [envelope.id]);
      const done = await withFlow(flow, () => store.alone((tx) => work(tx as Transaction)));
      failed = false;
      if (done) await step?.('after-commit', [envelope.id]);
      return done;
    } finally {
      span(Date.now(), failed);
    }
  }

  /** The flow that an event is handled in, and what records its span. */
  #open({ envelope, topic }: Shared, attempt: number, replay: boolean, traceparent: string) {
    const { tracing, module } = this.#options;
    const startMs = Date.now();
    const parent = envelope.traceparent;
    const outer = currentFlow();
    const flow: Flow = {
      deadline: startMs + DEADLINE_MS,
      traceparent,
      share: { key: envelope.subject },
      event: { id: envelope.id, correlationId: envelope.correlationId, replay },
      // Inside a transaction that is open already its mark goes on.
      get transaction() {
        return outer?.transaction;
      },
    };
    const span = (endMs: number, failed: boolean) => {
      // What is only tried is nobody's trace.
      if (!tracing.enabled || isTrial()) return;
      tracing.record({
        name: `handle ${envelope.type}`,
        kind: 'consumer',
        traceparent,
        parent: parent ? parent.slice(36, 52) : undefined,
        startMs,
        endMs,
        failed,
        module,
        keys: [envelope.subject],
        attributes: {
          'messaging.system': 'banyan',
          'messaging.destination.name': topic,
          'messaging.message.id': envelope.id,
          'messaging.consumer.group.name': module,
          'banyan.event.attempt': attempt,
        },
      });
    };
    return { flow, span };
  }
}

/** A span for one attempt, in the trace of the event. */
export function spanOf({ traceparent }: Pick<Envelope, 'traceparent'>): string {
  return traceparent ? childOf(traceparent) : newTraceparent();
}

/** A transaction of several events came to nothing. */
class Abandoned extends Error {
  readonly reason: unknown;
  constructor(reason: unknown) {
    super('Several events could not be handled together');
    this.name = 'Abandoned';
    this.reason = reason;
  }
}

function idsOf(some: readonly Shared[]): string[] {
  return some.map(({ envelope }) => envelope.id);
}
