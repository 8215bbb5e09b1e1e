// When the store is out of reach for now, in the words of pg, of Prisma's adapter and of the sockets under them.
// A caller hears 503 and when to try again then, not that something is broken here.

// Class 57P: the server is shutting down or starting up.
export function isConnectionLoss(error: unknown): boolean {
  return chain(error).some(
    ({ code, originalCode, kind, message }) =>
      /^(57P0[123]|ECONNRE(SET|FUSED)|EPIPE|P1001|P1017)$/.test(code ?? originalCode ?? '') ||
      kind === 'DatabaseNotReachable' ||
      kind === 'ConnectionClosed' ||
      message?.startsWith('Connection terminated') === true,
  );
}

/** `full`: the server cannot write for want of room. `connections`: it takes no more of them. */
export const outageKinds = ['full', 'connections', 'unreachable'] as const;
export type OutageKind = (typeof outageKinds)[number];

/** Of an error that is one (`isOutage`). */
export function outageKind(error: unknown): OutageKind {
  const codes = chain(error).map(({ code, originalCode }) => code ?? originalCode);
  if (codes.includes('53100')) return 'full';
  return codes.includes('53300') ? 'connections' : 'unreachable';
}

/** What a caller is told of an outage. */
export function outageInWords(error: unknown): string {
  return outageKind(error) === 'full'
    ? 'The disk of the store is full. Its operator has to make room; then try again.'
    : 'The store does not answer at the moment. Try again.';
}

/** The connection was lost, or there is none to be had: too many, none in time, a role that may not enter now. */
export function isOutage(error: unknown): boolean {
  return (
    isConnectionLoss(error) ||
    chain(error).some(
      ({ code, originalCode, message }) =>
        /^(08\w{3}|53100|53300|28000|ETIMEDOUT|P1002|P1008|P2024|P2037)$/.test(code ?? originalCode ?? '') ||
        /timeout exceeded when trying to connect|connection timeout|query read timeout/i.test(message ?? ''),
    )
  );
}

interface Link {
  readonly code?: string;
  readonly originalCode?: string;
  readonly kind?: string;
  readonly message?: string;
}

/** An error and what it wraps: Prisma keeps the driver's in `cause` or in `meta`. */
export function chain(error: unknown): Link[] {
  const links: Link[] = [];
  let next = error as (Link & { cause?: unknown; meta?: { driverAdapterError?: unknown } }) | undefined;
  while (next && typeof next === 'object' && links.length < 6) {
    links.push(next);
    next = (next.cause ?? next.meta?.driverAdapterError) as typeof next;
  }
  return links;
}
