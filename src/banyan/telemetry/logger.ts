// Logs: JSON lines, one per event, with the trace they belong to; made readable on a terminal. Secrets
// never reach a line: the headers that carry them are not logged at all.
import { type Logger, type LoggerOptions as PinoOptions, pino, stdTimeFunctions } from 'pino';
import { currentFlow } from '../context/call.ts';
import { traceOf } from '../context/trace.ts';
import type { LineSink } from './log-lines.ts';
import { createOutageFilter, serializeError } from './outage-lines.ts';

export interface LoggerOptions {
  readonly host: string;
  /** Pretty for people; JSON for machines. */
  readonly pretty: boolean;
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Gets each line as well, as JSON. Absent: they go to stdout alone. */
  readonly lines?: LineSink | undefined;
}

export function createLogger({ host, pretty, level, lines }: LoggerOptions): Logger {
  const isRepeated = createOutageFilter();
  const options: PinoOptions = {
    level,
    base: { host },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: serializeError },
    hooks: {
      logMethod(words, method) {
        if (!isRepeated(words[0], words[1])) method.apply(this, words);
      },
      ...(lines && {
        streamWrite(line: string) {
          lines.write(line);
          return line;
        },
      }),
    },
    mixin: () => {
      const flow = currentFlow();
      return flow ? traceOf(flow.traceparent) : {};
    },
  };
  if (!pretty) return pino(options);
  return pino({
    ...options,
    formatters: {},
    transport: {
      target: 'pino-pretty',
      options: {
        translateTime: 'SYS:HH:MM:ss',
        ignore: 'pid,hostname,host,span_id,trace_id,reqId',
        singleLine: true,
      },
    },
  });
}
