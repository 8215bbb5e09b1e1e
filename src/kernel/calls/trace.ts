// W3C trace context, made cheaply: ids only. Spans are exported by telemetry/ when an endpoint is set.
import { randomFillSync } from 'node:crypto';

// One random fill serves 256 ids: a fill per id costs a microsecond, a slice of a pool some tens of ns.
const pool = Buffer.allocUnsafe(4096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const hex = pool.toString('hex', used, used + bytes);
  used += bytes;
  return hex;
}

/** A new trace: `00-<32 hex>-<16 hex>-01`. */
export function newTraceparent(): string {
  return `00-${randomHex(16)}-${randomHex(8)}-01`;
}

/** The same trace, another span. */
export function childOf(traceparent: string): string {
  return `${traceparent.slice(0, 36)}${randomHex(8)}${traceparent.slice(52)}`;
}

/** The header of a client if it is well formed (W3C Trace Context level 1), else a new trace. */
export function adopt(header: string | string[] | undefined): string {
  return typeof header === 'string' &&
    /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(header)
    ? childOf(header)
    : newTraceparent();
}
