// What a signal is sent by, as the SDK of OpenTelemetry is told it. Types.
import type { Resource } from '@opentelemetry/resources';
import type { Delivery } from './delivery.ts';

/** What each signal is sent by. */
export interface Sending {
  /** For the SDK's exporter. */
  readonly exporting: {
    readonly url: string;
    readonly headers: Record<string, string>;
    readonly timeoutMillis: number;
  };
  /** For the SDK's batches, which hold more than `delivery` lets in. */
  readonly batching: {
    readonly maxQueueSize: number;
    readonly scheduledDelayMillis: number;
    readonly exportTimeoutMillis: number;
  };
  readonly resource: Resource;
  readonly delivery: Delivery;
}
