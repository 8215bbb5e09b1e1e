// Why work is done that was put off: a row that a job will take up carries what caused it, so that the
// trace and the chain of events go on where they stopped, in another process if need be.
import { currentFlow, type Flow, withFlow } from './call.ts';
import { childOf, newTraceparent } from './trace.ts';

/** What stands in the row's JSON column. */
export interface Cause {
  readonly traceparent: string;
  /** The event that made the row; absent when a request did. */
  readonly event?: { readonly id: string; readonly correlationId: string };
}

/** The cause of what is written now, as JSON; null outside of any flow. */
export function presentCause(): string | null {
  const flow = currentFlow();
  if (!flow) return null;
  const { traceparent, event } = flow;
  const cause: Cause = event
    ? { traceparent, event: { id: event.id, correlationId: event.correlationId } }
    : { traceparent };
  return JSON.stringify(cause);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What names a chain of events: short, and one line. */
export function isCorrelation(value: unknown): value is string {
  return typeof value === 'string' && /^\P{Cc}{1,200}$/u.test(value);
}

/** The event in whose course another host asks, as it came; undefined: it is no such thing. */
export function eventOf(value: unknown): Flow['event'] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, correlationId, replay } = value as Record<string, unknown>;
  if (typeof id !== 'string' || !UUID.test(id) || !isCorrelation(correlationId)) return undefined;
  return typeof replay === 'boolean' ? { id, correlationId, replay } : undefined;
}

/** Does the work as a consequence of the cause: what it calls and publishes belongs to the same trace and chain. */
export function becauseOf<T>(cause: Cause | null, work: () => T): T {
  const flow: Flow = {
    deadline: Number.POSITIVE_INFINITY,
    traceparent: cause ? childOf(cause.traceparent) : newTraceparent(),
    ...(cause?.event ? { event: { ...cause.event, replay: false } } : {}),
  };
  return withFlow(flow, work);
}
