// What a module hears: one event, what it does about it, and how often that is tried. Types only.
import type { DataOf, EventDefinition } from '../contract/contract.ts';
import type { Transaction } from '../store/store.ts';
import type { Delivery } from './envelope.ts';

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
}
