// What of an event's headers must not be sent again when it is tried once more: whose trace it was, and the marks of those
// who carried or copied it. The trace is made new, so that what comes of the redrive is seen by itself; the marks are left out.
// What the event is (its id, its type, its place in its key, what caused it) stays.
import { newTraceparent } from '../../context/trace.ts';

export interface ChangedHeader {
  readonly name: string;
  readonly before: string;
  /** Null: it is left out. */
  readonly after: string | null;
}

export type EventHeaders = Readonly<Record<string, string>>;

const TRACE = /^(ce_)?traceparent$/i;
/** Of tracers, of logs that copy one another, and of brokers that kept it as a dead letter. */
const MARKS =
  /^((ce_)?tracestate|baggage|b3|x-b3-.+|uber-trace-id|uberctx-.+|x-datadog-.+|sentry-trace|x-amzn-trace-id|(__)?kafka_(dlt|original|replica|mirror).*|__connect\..+|replication[-_.].+|x-(original|replica|retry)-.+)$/i;

/** The names that a redrive makes new or leaves out. */
export function notSentAgain(headers: EventHeaders | null): string[] {
  return Object.keys(headers ?? {})
    .filter((name) => TRACE.test(name) || MARKS.test(name))
    .sort();
}

export function madeNew(headers: EventHeaders): { headers: EventHeaders; changed: ChangedHeader[] } {
  const traceparent = newTraceparent();
  const kept: Record<string, string> = {};
  const changed: ChangedHeader[] = [];
  for (const [name, before] of Object.entries(headers)) {
    if (TRACE.test(name)) changed.push({ name, before, after: name === 'traceparent' ? traceparent : null });
    else if (MARKS.test(name)) changed.push({ name, before, after: null });
    else kept[name] = before;
  }
  return { headers: { ...kept, traceparent }, changed };
}
