// One attempt at one event: its turn is taken, the listener does its work, and all of it commits together with
// the events that the listener publishes. The same for an event fresh from the log and for a retry.
import { type Flow, withFlow } from '../calls/call.ts';
import { childOf, newTraceparent } from '../calls/trace.ts';
import type { Listener } from '../module.ts';
import type { Store, Transaction } from '../store/store.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { Envelope } from './envelope.ts';
import { isTransient } from './inbox.ts';

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
  readonly store: Store;
  readonly tracing: Tracing;
  readonly step?: (step: InboxStep, ids: readonly string[]) => Promise<void> | void;
}

export interface Attempt {
  readonly listener: Listener;
  readonly envelope: Envelope;
  readonly topic: string;
  readonly attempt: number;
  readonly replay: boolean;
  /** Inside the transaction, before the listener: false leaves the event to others. */
  readonly enter: (tx: Transaction) => Promise<boolean>;
  /** Inside the transaction, after the listener. */
  readonly leave?: (tx: Transaction) => Promise<void>;
}

const DEADLINE_MS = 30_000;
const REPEATS = 5;

export class Effect {
  readonly #options: EffectOptions;

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

  async #once({ listener, envelope, topic, attempt, replay, enter, leave }: Attempt): Promise<boolean> {
    const { store, step, tracing, module } = this.#options;
    const startMs = Date.now();
    const parent = envelope.traceparent;
    const traceparent = parent ? childOf(parent) : newTraceparent();
    const flow: Flow = {
      deadline: startMs + DEADLINE_MS,
      traceparent,
      event: { id: envelope.id, correlationId: envelope.correlationId, replay },
    };
    const work = async (tx: Transaction): Promise<boolean> => {
      if (!(await enter(tx))) return false;
      await step?.('after-take', [envelope.id]);
      await listener.handle(envelope.data as never, { tx, delivery: { envelope, topic, attempt, replay } });
      await leave?.(tx);
      await step?.('after-effect', [envelope.id]);
      return true;
    };
    let failed = true;
    try {
      await step?.('before-effect', [envelope.id]);
      const done = await withFlow(flow, () =>
        listener.prisma ? store.transaction((tx) => work(tx as Transaction)) : store.rawTransaction(work),
      );
      failed = false;
      if (done) await step?.('after-commit', [envelope.id]);
      return done;
    } finally {
      if (tracing.enabled) {
        tracing.record({
          name: `handle ${envelope.type}`,
          kind: 'consumer',
          traceparent,
          parent: parent ? parent.slice(36, 52) : undefined,
          startMs,
          endMs: Date.now(),
          failed,
          attributes: {
            'messaging.system': 'banyan',
            'messaging.destination.name': topic,
            'messaging.message.id': envelope.id,
            'messaging.consumer.group.name': module,
            'banyan.event.attempt': attempt,
          },
        });
      }
    }
  }
}
