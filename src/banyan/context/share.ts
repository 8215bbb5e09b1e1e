// Whose share a request is in. Where a part of a module's requests goes to its services, the same key is always in the
// same part; the key goes along with all that the request causes, since other modules have shares of their own.
// It knows no module and no percentage: what follows from a key is routing/side.ts.

export interface Share {
  /** The user's id, else the Idempotency-Key, else the trace id; in background the key of the event or of the saga. */
  readonly key: string;
  /** Where an operator asked for it to go, whatever the placement is. */
  readonly side?: 'in-process' | 'service' | undefined;
}

/** The share of what a flow causes: where nobody is named for it, its trace's. Undefined outside of any flow. */
export function shareIn(
  flow: { readonly share?: Share; readonly traceparent: string } | undefined,
): Share | undefined {
  return flow && (flow.share ?? { key: traceKey(flow.traceparent) });
}

/** The trace id. */
export function traceKey(traceparent: string): string {
  return traceparent.slice(3, 35);
}

const VISIBLE = /^[\x21-\x7e]{1,255}$/;

/** What may be a key of a client's choice, and a header's value. */
export function isKey(text: unknown): text is string {
  return typeof text === 'string' && VISIBLE.test(text);
}

/** More than the key of any event has. Hosts keep keys in memory, so a stranger's may not be large. */
const LONGEST = 1_000;

/** What another host said of a share; undefined where that is none. */
export function shareFrom(said: unknown): Share | undefined {
  const { key, side } = (said ?? {}) as Partial<Share>;
  if (typeof key !== 'string' || key === '' || key.length > LONGEST) return undefined;
  return isSide(side) ? { key, side } : { key };
}

export function isSide(text: unknown): text is NonNullable<Share['side']> {
  return text === 'service' || text === 'in-process';
}
