// W3C trace context, made cheaply: ids only. Spans are exported by telemetry/ when an endpoint is set.
import { randomFillSync } from 'node:crypto';

// One random fill, converted to hexadecimal once, serves 128 span ids: a part of that string costs 10 ns, a
// toString of its own 90. It is short (2 kB) because whoever keeps one id keeps the whole string in memory.
const POOL_BYTES = 1024;
const bytes = Buffer.allocUnsafe(POOL_BYTES);
let pool = '';
let used = 2 * POOL_BYTES;

function randomHex(digits: number): string {
  if (used + digits > 2 * POOL_BYTES) {
    pool = randomFillSync(bytes).toString('hex');
    used = 0;
  }
  used += digits;
  return pool.slice(used - digits, used);
}

/** A new trace: `00-<32 hex>-<16 hex>-01`. */
export function newTraceparent(): string {
  return `00-${randomHex(32)}-${randomHex(16)}-01`;
}

/** The same trace, another span. */
export function childOf(traceparent: string): string {
  return `${traceparent.slice(0, 36)}${randomHex(16)}${traceparent.slice(52)}`;
}

/** As log lines name it. */
export function traceOf(traceparent: string): { trace_id: string; span_id: string } {
  return { trace_id: traceparent.slice(3, 35), span_id: traceparent.slice(36, 52) };
}

/** The header of a client if it is well formed (W3C Trace Context level 1), else a new trace. */
export function adopt(header: string | string[] | undefined): string {
  return typeof header === 'string' &&
    /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(header)
    ? childOf(header)
    : newTraceparent();
}
