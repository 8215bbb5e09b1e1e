// Calls as spans, named alike wherever they are made or served: `depots/nearest`. Near, a call is one span
// (internal); far, it is two, one on each side (client and server).

import type { Tracing } from '../telemetry/tracing.ts';
import type { ObserveCalls } from './observed.ts';

export function callSpans(tracing: Tracing, kind: 'internal' | 'client' | 'server'): ObserveCalls {
  return {
    get active() {
      return tracing.enabled;
    },
    ended({ module, operation, traceparent, parent, startMs, failed, side }) {
      if (!tracing.enabled) return;
      tracing.record({
        name: `${module}/${operation}`,
        kind,
        traceparent,
        parent: parent?.slice(36, 52),
        startMs,
        endMs: Date.now(),
        failed,
        module,
        attributes: {
          ...(kind === 'internal' ? {} : { 'rpc.system': 'jsonrpc' }),
          'rpc.service': module,
          'rpc.method': operation,
          ...(side && { 'banyan.side': side }),
        },
      });
    },
  };
}
