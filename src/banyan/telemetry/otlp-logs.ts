// Lines of the host's log as OpenTelemetry's log records, sent by OTLP/HTTP: the sentence is the body, the level the severity,
// all else an attribute; a line that was said in a trace belongs to its span, so that one leads to the other. Loaded only where
// logs have an endpoint. Guarantee: what looks like a secret is left out once more (secrets.ts).
import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { type AnyValueMap, SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { BatchLogRecordProcessor, LoggerProvider, type ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { LineSink } from './log-lines.ts';
import { withoutSecrets } from './secrets.ts';
import type { Sending } from './sending.ts';

/** As pino writes them for machines, and for people. */
const severities: Readonly<Record<string, readonly [SeverityNumber, string]>> = {
  trace: [SeverityNumber.TRACE, 'trace'],
  debug: [SeverityNumber.DEBUG, 'debug'],
  info: [SeverityNumber.INFO, 'info'],
  warn: [SeverityNumber.WARN, 'warn'],
  error: [SeverityNumber.ERROR, 'error'],
  fatal: [SeverityNumber.FATAL, 'fatal'],
};
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

interface Line {
  readonly level?: string | number;
  readonly time?: string | number;
  readonly msg?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly err?: {
    readonly type?: string;
    readonly message?: string;
    readonly stack?: string;
    readonly code?: string;
  };
  readonly [field: string]: unknown;
}

export function sendLogs({
  exporting,
  batching,
  resource,
  delivery,
}: Sending): LineSink & { close(): Promise<void> } {
  const exporter = delivery.noted<ReadableLogRecord[], OTLPLogExporter>(
    new OTLPLogExporter(exporting),
    (records) => records.length,
  );
  const provider = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter, ...batching })],
  });
  const logger = provider.getLogger('banyan');
  return {
    write(text) {
      const line = read(text);
      if (line === undefined || !delivery.take()) return;
      const { level, time, msg, trace_id: traceId, span_id: spanId, err, host: _, ...rest } = line;
      const [severityNumber, severityText] = severityOf(level);
      logger.emit({
        severityNumber,
        severityText,
        body: msg ?? '',
        attributes: { ...(rest as AnyValueMap), ...exceptionOf(err) },
        ...(time !== undefined && { timestamp: new Date(time) }),
        ...(traceId && spanId && { context: within(traceId, spanId) }),
      });
    },
    close: () => provider.shutdown(),
  };
}

/** Undefined: it is no line of ours. */
function read(text: string): Line | undefined {
  try {
    return withoutSecrets(JSON.parse(text)) as Line;
  } catch {
    return undefined;
  }
}

function severityOf(level: Line['level']): readonly [SeverityNumber, string] {
  const word = typeof level === 'number' ? levels[level / 10 - 1] : level;
  return severities[word ?? ''] ?? [SeverityNumber.UNSPECIFIED, String(level ?? '')];
}

function exceptionOf(err: Line['err']): AnyValueMap {
  if (!err) return {};
  const { type, message, stack, code } = err;
  return {
    ...(type !== undefined && { 'exception.type': type }),
    ...(message !== undefined && { 'exception.message': message }),
    ...(stack !== undefined && { 'exception.stacktrace': stack }),
    ...(code !== undefined && { 'error.type': code }),
  };
}

const within = (traceId: string, spanId: string) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED });
