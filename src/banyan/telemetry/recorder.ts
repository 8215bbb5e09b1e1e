// Keeps spans in memory while somebody looks at traces, and nothing otherwise. All of the last minute are there, within a
// budget for each module; what is worth keeping stays: traces that failed, that were slow, and one in a hundred. Where a
// trace begins it is decided, and the others are told (marks); a hash of the id decides the one in a hundred alike
// everywhere. It knows no other host: who tells marks is placement/trace-marks.ts.
import { Slowness } from './slowness.ts';
import { SpanRing } from './span-ring.ts';
import { failsTrace, headOf, isRoot } from './trace-head.ts';
import type { Kept, Span, TraceHead } from './trace-shape.ts';
import type { FinishedSpan, Tracing } from './tracing.ts';

/** Of each module, on each host; as many again of what is kept. */
const BUDGET = 1_000;
const RECENT_MS = 60_000;
const TICK_MS = 250;
const ONE_IN = 100;
/** What later spans are held against. */
const MOST_MARKS = 10_000;
/** A flood of failures would keep nothing else. */
const MARKS_A_SECOND = 100;
/** What was kept goes so long after the last recording. */
const FORGET_MS = 30 * 60_000;

export interface Mark {
  readonly trace: string;
  readonly why: Kept;
}

interface Held {
  readonly trace: string;
  readonly endMs: number;
  readonly span: Span;
}

interface Rings {
  readonly recent: SpanRing<Held>;
  readonly kept: SpanRing<Held>;
}

export class Recorder implements Tracing {
  enabled = false;
  readonly #ringsOf: ReadonlyMap<string, Rings>;
  readonly #slowness = new Slowness();
  readonly #marks = new Map<string, { readonly why: Kept; readonly at: number }>();
  /** Marked since the last tick. */
  readonly #fresh = new Set<string>();
  #second = 0;
  #marked = 0;
  #ticking: NodeJS.Timeout | undefined;
  #ending: NodeJS.Timeout | undefined;

  /** @param modules of the product, whose work is kept. */
  constructor(modules: readonly string[]) {
    const rings = () => ({ recent: new SpanRing<Held>(BUDGET), kept: new SpanRing<Held>(BUDGET) });
    this.#ringsOf = new Map(modules.map((module) => [module, rings()]));
  }

  /** Records until then, in milliseconds since the epoch; what was said before holds no more. */
  until(endMs: number): void {
    const left = endMs - Date.now();
    clearTimeout(this.#ending);
    if (left > 0) {
      this.enabled = true;
      this.#ticking ??= setInterval(() => this.settle(), TICK_MS).unref();
      this.#ending = setTimeout(() => this.#end(), left).unref();
    } else if (this.enabled) {
      this.#end();
    }
  }

  record(finished: FinishedSpan): void {
    const { traceparent, module, endMs } = finished;
    const trace = traceparent.slice(3, 35);
    const span = spanOf(finished);
    const held = { trace, endMs, span };
    const rings = module === undefined ? undefined : this.#ringsOf.get(module);
    // Of the host's own work: whoever looks at traces would see that alone.
    if (!rings) return;
    const isSlow = isRoot(span) && this.#slowness.note(span.name, span.ms);
    if (failsTrace(span)) this.#mark(trace, 'failed');
    else if (isSlow) this.#mark(trace, 'slow');
    if (this.#marks.has(trace) || isSampled(trace)) rings.kept.add(held);
    else rings.recent.add(held);
  }

  /** What was found worth keeping here or told since then. */
  marksSince(since: number, most = 2_000): Mark[] {
    const marks: Mark[] = [];
    for (const [trace, { why, at }] of this.#marks) if (at >= since) marks.push({ trace, why });
    return marks.slice(-most);
  }

  /** Others found these worth keeping. */
  told(marks: readonly Mark[]): void {
    for (const { trace, why } of marks) this.#keep(trace, why);
    this.settle();
  }

  /** The newest traces, and before them those of that key. */
  heads(most: number, key?: string): TraceHead[] {
    this.settle();
    const heads = [...this.#byTrace()].map(([trace, spans]) => headOf(trace, spans, this.#whyOf(trace)));
    const isAsked = ({ keys, trace }: TraceHead) =>
      key !== undefined && (keys.includes(key) || trace === key);
    return heads.sort((a, b) => Number(isAsked(b)) - Number(isAsked(a)) || b.at - a.at).slice(0, most);
  }

  spansOf(trace: string): { readonly spans: readonly Span[]; readonly kept: Kept | null } {
    return { spans: this.#byTrace(trace).get(trace) ?? [], kept: this.#whyOf(trace) };
  }

  /** Moves what was marked to what is kept, and lets go of what is older than a minute. */
  settle(): void {
    const old = Date.now() - RECENT_MS;
    for (const { recent, kept } of this.#ringsOf.values()) {
      const isMarked = ({ trace }: Held) => this.#fresh.has(trace);
      if (this.#fresh.size > 0) for (const held of recent.take(isMarked)) kept.add(held);
      recent.take(({ endMs }) => endMs < old);
    }
    this.#fresh.clear();
  }

  async close(): Promise<void> {
    clearTimeout(this.#ending);
    clearInterval(this.#ticking);
    this.enabled = false;
  }

  #end(): void {
    this.enabled = false;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    for (const { recent } of this.#ringsOf.values()) recent.clear();
    this.#slowness.clear();
    this.#ending = setTimeout(() => {
      for (const { kept } of this.#ringsOf.values()) kept.clear();
      this.#marks.clear();
    }, FORGET_MS).unref();
  }

  #mark(trace: string, why: Kept): void {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#second) [this.#second, this.#marked] = [second, 0];
    this.#marked += 1;
    if (this.#marked <= MARKS_A_SECOND) this.#keep(trace, why);
  }

  #keep(trace: string, why: Kept): void {
    if (this.#marks.has(trace)) return;
    this.#marks.set(trace, { why, at: Date.now() });
    this.#fresh.add(trace);
    if (this.#marks.size > MOST_MARKS) this.#marks.delete(this.#marks.keys().next().value!);
  }

  #whyOf(trace: string): Kept | null {
    return this.#marks.get(trace)?.why ?? (isSampled(trace) ? 'sampled' : null);
  }

  #byTrace(only?: string): Map<string, Span[]> {
    const traces = new Map<string, Span[]>();
    for (const { recent, kept } of this.#ringsOf.values())
      for (const ring of [kept, recent])
        for (const { trace, span } of ring) {
          if (only !== undefined && trace !== only) continue;
          const spans = traces.get(trace);
          if (spans) spans.push(span);
          else traces.set(trace, [span]);
        }
    return traces;
  }
}

function spanOf(finished: FinishedSpan): Span {
  const { traceparent, parent, name, kind, module, startMs, endMs, failed } = finished;
  const { attributes, entry = false, keys = [] } = finished;
  const ms = Math.max(0, endMs - startMs);
  const id = traceparent.slice(36, 52);
  const span = { id, parent: parent ?? null, name, kind, module: module ?? null };
  return { ...span, at: startMs, ms, failed, entry, keys, attributes };
}

/** The same on every host. Ids that a client makes up may be alike in parts, so all of it counts. */
export function isSampled(trace: string): boolean {
  let hash = 0x811c9dc5;
  for (let at = 0; at < trace.length; at += 1)
    hash = Math.imul(hash ^ trace.charCodeAt(at), 0x01000193) >>> 0;
  return hash % ONE_IN === 0;
}
