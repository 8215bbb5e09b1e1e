// Spans of a host as heads of traces: what began, how long, over which modules.
import type { Kept, Span, TraceHead } from './trace-shape.ts';

/** Nobody reads more of them in a line. */
const MOST_KEYS = 16;

/** @param spans of one trace, at least one. */
export function headOf(trace: string, spans: readonly Span[], kept: Kept | null): TraceHead {
  const first = spans.find(isRoot) ?? spans.reduce((one, other) => (other.at < one.at ? other : one));
  return {
    trace,
    kept,
    name: first.name,
    rooted: isRoot(first),
    at: Math.min(...spans.map(({ at }) => at)),
    until: Math.max(...spans.map(({ at, ms }) => at + ms)),
    failed: spans.some(failsTrace),
    spans: spans.length,
    modules: [...new Set(spans.flatMap(({ module }) => module ?? []))],
    keys: [...new Set(spans.flatMap(({ keys }) => keys))].slice(0, MOST_KEYS),
  };
}

export function isRoot({ parent, entry }: Pick<Span, 'parent' | 'entry'>): boolean {
  return entry || parent === null;
}

/** An answer that is a refusal fails nothing: the one who asked knows what to do with it. */
export function failsTrace(span: Pick<Span, 'failed' | 'parent' | 'entry' | 'kind'>): boolean {
  return span.failed && (isRoot(span) || span.kind === 'consumer');
}
