// A trace as hosts tell it one another and as operators see it.

/** Why it is kept: it failed, it was slow for what it is, or it is the one in a hundred. */
export type Kept = 'failed' | 'slow' | 'sampled';

export interface Span {
  /** 16 hex digits. */
  readonly id: string;
  /** Null: it began the trace. */
  readonly parent: string | null;
  readonly name: string;
  readonly kind: string;
  /** Null: the host's own work. */
  readonly module: string | null;
  /** Milliseconds since the epoch, by its host's clock. */
  readonly at: number;
  readonly ms: number;
  readonly failed: boolean;
  /** A client's request, where it came in. */
  readonly entry: boolean;
  readonly keys: readonly string[];
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** What one host knows of a trace, without its spans. */
export interface TraceHead {
  readonly trace: string;
  /** Null: it is of the last minute, and goes unless somebody finds it worth keeping. */
  readonly kept: Kept | null;
  /** What began it, or the first that is known. */
  readonly name: string;
  /** Whether that is where it began. */
  readonly rooted: boolean;
  readonly at: number;
  readonly until: number;
  readonly failed: boolean;
  readonly spans: number;
  readonly modules: readonly string[];
  readonly keys: readonly string[];
}
