// An event on its way: CloudEvents 1.0 attributes plus what order and tracing need. The same shape in the
// outbox, in the log and in the inbox; the Kafka adapter maps it to `ce_` headers.
export interface Envelope {
  /** UUIDv7 from the application: the CloudEvents id, and the identity that makes an effect happen once. */
  readonly id: string;
  /** `/modules/<module>`. */
  readonly source: string;
  /** `<module>.<event>.v<major>`. */
  readonly type: string;
  /** The key. */
  readonly subject: string;
  /** RFC 3339, when the change was made. */
  readonly time: string;
  /** Per topic and key, from 1, without gaps: consumers see an inversion or a loss in it. */
  readonly sequence: number;
  /** What started the chain of events (the first event's id, or the request's). */
  readonly correlationId: string;
  /** The event or request that caused this one. */
  readonly causationId: string | null;
  readonly traceparent: string;
  /** The host that published it, `monolith` or `parcels-1`; undefined when its producer did not say. */
  readonly instance?: string;
  readonly data: unknown;
}

/** One event in the hands of one consumer. */
export interface Delivery {
  readonly envelope: Envelope;
  readonly topic: string;
  /** 1 on the first attempt. */
  readonly attempt: number;
  /** True when an operator replays the past: what the handler publishes is suppressed. */
  readonly replay: boolean;
}
