// What a finished piece of work says of itself, for whoever exports traces or shows them. While nobody wants any, nothing
// is made and nothing is paid but the question. Span ids come from our own trace context, so that one trace runs through
// gateway, calls and events whether or not anything is kept of it.
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
  /** Whose work it was; absent: the host's own. */
  readonly module?: string | undefined;
  /** A client's request, where it came in: its parent, if it has one, is outside. */
  readonly entry?: boolean;
  /** What it was about, to find it by: the key of an event, the parts of a path that are no words. */
  readonly keys?: readonly string[];
}

export interface Tracing {
  /** Whether anybody wants spans at this moment. */
  readonly enabled: boolean;
  record(span: FinishedSpan): void;
  close(): Promise<void>;
}

export const noTracing: Tracing = { enabled: false, record: () => undefined, close: async () => undefined };

/** Both get every span, each for as long as it wants any. */
export function bothTracings(one: Tracing, other: Tracing): Tracing {
  return {
    get enabled() {
      return one.enabled || other.enabled;
    },
    record(span) {
      if (one.enabled) one.record(span);
      if (other.enabled) other.record(span);
    },
    close: async () => {
      await Promise.all([one.close(), other.close()]);
    },
  };
}
