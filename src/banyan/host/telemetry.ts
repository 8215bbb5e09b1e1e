// What this host tells of its calls and of who tried what: what leaves it by OTLP, loaded where an endpoint is set, and the
// observer that makes numbers and spans of the calls to other hosts.

import type { Logger } from 'pino';
import { callSpans } from '../calls/call-span.ts';
import type { CallObserver } from '../calls/settling.ts';
import type { Settings } from '../config/settings.ts';
import type { LogLines } from '../telemetry/log-lines.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Otlp } from '../telemetry/otlp.ts';
import { Recorder } from '../telemetry/recorder.ts';
import { createSecurityLog, type SecurityLog } from '../telemetry/security-log.ts';
import { openSink } from '../telemetry/security-sink.ts';
import { bothTracings, type Tracing } from '../telemetry/tracing.ts';
import type { Undo } from './undo.ts';

export interface Telemetry {
  readonly tracing: Tracing;
  /** Spans of this host, while somebody looks at traces. */
  readonly recorder: Recorder;
  /** Undefined: nothing leaves this host. */
  readonly otlp: Pick<Otlp, 'down'> | undefined;
}

/** Spans are kept here while somebody looks, and leave where an endpoint is set: that costs a start of 100 ms and 10 MB. */
export async function openTelemetry(
  { otlp: target, hostId, role, modules, app, allModules }: Settings,
  metrics: Metrics,
  log: Logger,
  lines: LogLines | undefined,
  undo: Undo,
): Promise<Telemetry> {
  const recorder = new Recorder(allModules);
  if (!target) {
    undo.push('tracing', () => recorder.close());
    return { tracing: recorder, recorder, otlp: undefined };
  }
  const { openOtlp } = await import('../telemetry/otlp.ts');
  const name = role === 'service' ? modules.join('-') : role;
  const otlp = await openOtlp(target, { hostId, name, version: app.version }, metrics, log);
  if (otlp.lines) lines?.to(otlp.lines);
  undo.push('telemetry', () => Promise.all([recorder.close(), otlp.close()]));
  return { tracing: bothTracings(recorder, otlp.tracing), recorder, otlp };
}

/** Alarms are made of these: they are there before the first one. */
const WATCHED = [
  ['token.internal', 'refused'],
  ['token.bearer', 'refused'],
  ['token.bearer', 'limited'],
  ['session.begin', 'refused'],
  ['limit.hit', 'limited'],
  ['operation.refused', 'refused'],
  ['service.register', 'refused'],
  ['service.refused', 'refused'],
  ['database.role', 'refused'],
] as const;

/** It ends last: what the others refuse while they end is in it. */
export function openSecurityLog(
  { hostId, securityLog }: Settings,
  metrics: Metrics,
  log: Logger,
  undo: Undo,
): SecurityLog {
  const count = metrics.counter(
    'banyan_security_events_total',
    'Events of the security log, those that it left out among them',
    { event: [], outcome: [] },
  );
  for (const [event, outcome] of WATCHED) count({ event, outcome }, 0);
  const opened = createSecurityLog({ host: hostId, sink: openSink(securityLog, log), count });
  undo.push('security log', () => opened.close());
  return opened;
}

export function observeCalls(metrics: Metrics, tracing: Tracing): CallObserver {
  const span = callSpans(tracing, 'client');
  return {
    onCall(module, operation, ms, outcome, { traceparent, parent, side }) {
      metrics.call.observe({ module, operation, outcome }, ms / 1000);
      if (!span.active) return;
      const [startMs, failed] = [Date.now() - ms, outcome !== 'ok'];
      span.ended({ module, operation, traceparent, parent, startMs, failed, side });
    },
  };
}
