// What a host tells of traces on its internal port, and how that is read: heads of traces, the spans of one, and which ids
// were found worth keeping. Guarantees: what another host says is checked before it is shown, and has bounds.

import type { Problem } from '../contract/problem.ts';
import { libraryProblem } from '../contract/problem.ts';
import { Type } from '../contract/type.ts';
import { compile } from '../contract/validation.ts';
import type { InternalCaller } from '../identity/internal-token.ts';
import type { Mark, Recorder } from '../telemetry/recorder.ts';
import type { Kept, Span, TraceHead } from '../telemetry/trace-shape.ts';

export const TRACES_PATH = '/traces';
export const MARKS_PATH = '/traces/marks';

/** Marks are told for so long: an exchange that fails is made up for by the next. */
export const MARKS_MS = 4_000;
export const MOST_MARKS = 2_000;
/** Heads of a host in one answer. */
export const MOST_HEADS = 1_000;
/** Spans of one trace of a host. */
export const MOST_SPANS = 2_000;

const text = (maxLength: number) => Type.String({ maxLength });
const traceId = Type.String({ pattern: '^[0-9a-f]{32}$' });
const why = Type.Unsafe<Kept>({ type: 'string', enum: ['failed', 'slow', 'sampled'] });
const kept = Type.Union([why, Type.Null()]);
const keys = Type.Array(text(500), { maxItems: 100 });
const Head = Type.Object({
  trace: traceId,
  kept,
  name: text(500),
  rooted: Type.Boolean(),
  at: Type.Number(),
  until: Type.Number(),
  failed: Type.Boolean(),
  spans: Type.Integer({ minimum: 1 }),
  modules: Type.Array(text(100), { maxItems: 100 }),
  keys,
});
const SpanOf = Type.Object({
  id: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  parent: Type.Union([Type.String({ pattern: '^[0-9a-f]{16}$' }), Type.Null()]),
  name: text(500),
  kind: text(20),
  module: Type.Union([text(100), Type.Null()]),
  at: Type.Number(),
  ms: Type.Number({ minimum: 0 }),
  failed: Type.Boolean(),
  entry: Type.Boolean(),
  keys,
  attributes: Type.Record(Type.String(), Type.Union([text(2_000), Type.Number(), Type.Boolean()])),
});
const Marks = Type.Object({
  marks: Type.Array(Type.Object({ trace: traceId, why }), { maxItems: 2 * MOST_MARKS }),
});

const checks = {
  heads: compile(Type.Object({ traces: Type.Array(Head, { maxItems: MOST_HEADS }) })),
  spans: compile(Type.Object({ kept, spans: Type.Array(SpanOf, { maxItems: MOST_SPANS }) })),
  marks: compile(Marks),
};

export interface HeadsReport {
  readonly traces: readonly TraceHead[];
}
export interface SpansReport {
  readonly kept: Kept | null;
  readonly spans: readonly Span[];
}
export interface MarksReport {
  readonly marks: readonly Mark[];
}

/** Throws where it is none, in words. */
export const readHeads = reading<HeadsReport>('heads');
export const readSpans = reading<SpansReport>('spans');
export const readMarks = reading<MarksReport>('marks');

function reading<T>(which: keyof typeof checks): (given: unknown) => T {
  return (given) => {
    const check = checks[which];
    if (check.fits(given)) return given as T;
    const [wrong] = check.errors(given);
    throw new Error(`what it said of traces is not as expected: ${wrong?.path} ${wrong?.message}`);
  };
}

/** A host's answers, to monoliths and gateways alone. */
export function traceReports(recorder: Recorder, refusal: (who: InternalCaller) => Problem | undefined) {
  const allow = (who: InternalCaller) => {
    const refused = refusal(who);
    if (refused) throw refused;
  };
  return {
    heads(who: InternalCaller, key: unknown): HeadsReport {
      allow(who);
      return { traces: recorder.heads(MOST_HEADS, typeof key === 'string' ? key : undefined) };
    },
    spans(who: InternalCaller, trace: string): SpansReport {
      allow(who);
      const { spans, kept: reason } = recorder.spansOf(trace);
      return { kept: reason, spans: spans.slice(0, MOST_SPANS) };
    },
    marks(who: InternalCaller, body: unknown): MarksReport {
      allow(who);
      let told: MarksReport;
      try {
        told = readMarks(body);
      } catch (error) {
        throw libraryProblem('invalid', { detail: (error as Error).message });
      }
      const own = recorder.marksSince(Date.now() - MARKS_MS, MOST_MARKS);
      recorder.told(told.marks);
      return { marks: own };
    },
  };
}
