// What the load generator is told and what it answers: data that crosses to a process of its own. One entry per
// scheduled request, so that whoever reads the answer can count by kind, by second, or by what was broken then.

/** A request that repeats until a field of its answer is no longer what it was: an order until it is decided. */
export interface Until {
  readonly method: string;
  /** `{answer.id}` stands for that field of the first answer. */
  readonly path: string;
  readonly field: string;
  /** As long as the field is this, it is asked again. */
  readonly not: string;
  /** What it must be in the end; anything else is a failure. Undefined: anything. */
  readonly wanted?: string;
  readonly everyMs: number;
  readonly withinMs: number;
}

export interface Planned {
  /** When it should leave, from the start of the run. */
  readonly atMs: number;
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Name of a file of the plan, sent as multipart/form-data. */
  readonly upload?: string;
  readonly expect: number;
  readonly until?: Until;
}

export interface LoadPlan {
  /** `http://127.0.0.1:3000`. */
  readonly url: string;
  /** In the order of atMs. */
  readonly requests: readonly Planned[];
  readonly connections: number;
  /** After this a request has failed. */
  readonly timeoutMs: number;
  readonly files: Readonly<Record<string, { readonly type: string; readonly bytes: Uint8Array }>>;
}

/** One row per planned request, in the same order. */
export interface LoadResult {
  /** When the run began, as Date.now(). */
  readonly startedAt: number;
  /** The answer's status; 0 where none came. */
  readonly status: Int16Array;
  /** From when it should have left to the end of its answer, in milliseconds. */
  readonly latencyMs: Float64Array;
  /** How late it left. */
  readonly lateMs: Float32Array;
  /** From when it should have left until the field was decided; NaN without `until` or when it never was. */
  readonly decidedMs: Float64Array;
  readonly failed: Uint8Array;
  /** CPU time of this process, in milliseconds. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** What went wrong, the first few of each sort. */
  readonly examples: readonly string[];
}
