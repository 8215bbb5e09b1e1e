// What this host tells of its calls and of who tried what: the exporter of traces, loaded where one is asked for, and the observer that makes
// numbers and spans of the calls to other hosts.

import type { Logger } from 'pino';
import { callSpans } from '../calls/call-span.ts';
import type { CallObserver } from '../calls/settling.ts';
import type { Settings } from '../config/settings.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createSecurityLog, type SecurityLog } from '../telemetry/security-log.ts';
import { openSink } from '../telemetry/security-sink.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';
import type { Undo } from './undo.ts';

/** The exporter is loaded where it is used: it costs a start of 100 ms and 10 MB. */
export async function openTracing(endpoint: string | undefined, host: string): Promise<Tracing> {
  if (!endpoint) return noTracing;
  const { createTracing } = await import('../telemetry/otlp.ts');
  return createTracing(endpoint, host);
}

/** It ends last: what the others refuse while they end is in it. */
export function openSecurityLog({ hostId, securityLog }: Settings, log: Logger, undo: Undo): SecurityLog {
  const opened = createSecurityLog({ host: hostId, sink: openSink(securityLog, log) });
  undo.push('security log', () => opened.close());
  return opened;
}

export function observeCalls(metrics: Metrics, tracing: Tracing): CallObserver {
  const span = callSpans(tracing, 'client');
  return {
    onCall(module, operation, ms, outcome, { traceparent, parent }) {
      metrics.call.observe({ module, operation, outcome }, ms / 1000);
      span?.({ module, operation, traceparent, parent, startMs: Date.now() - ms, failed: outcome !== 'ok' });
    },
  };
}
