// Calls as spans, named alike wherever they are made or served: `depots/nearest`. Near, a call is one span
// (internal); far, it is two, one on each side (client and server).

import type { Tracing } from '../telemetry/tracing.ts';
import type { EndedCall, ObserveCall } from './observed.ts';

/** Undefined where nothing is exported: then nobody need observe. */
export function callSpans(tracing: Tracing, kind: 'internal' | 'client' | 'server'): ObserveCall | undefined {
  if (!tracing.enabled) return undefined;
  return ({ module, operation, traceparent, parent, startMs, failed }: EndedCall) =>
    tracing.record({
      name: `${module}/${operation}`,
      kind,
      traceparent,
      parent: parent?.slice(36, 52),
      startMs,
      endMs: Date.now(),
      failed,
      attributes: {
        ...(kind === 'internal' ? {} : { 'rpc.system': 'jsonrpc' }),
        'rpc.service': module,
        'rpc.method': operation,
      },
    });
}
