// What a finished piece of work says of itself, for whoever exports traces. With no exporter nothing is made and
// nothing is paid. Span ids come from our own trace context, so that one trace runs through gateway, calls and
// events whether or not anything is exported.
export interface FinishedSpan {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'producer' | 'consumer' | 'internal';
  /** W3C traceparent of this span itself. */
  readonly traceparent: string;
  /** Span id of the parent, 16 hex digits; undefined for a root. */
  readonly parent: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export interface Tracing {
  readonly enabled: boolean;
  record(span: FinishedSpan): void;
  close(): Promise<void>;
}

export const noTracing: Tracing = { enabled: false, record: () => undefined, close: async () => undefined };
