// The security log: who tried what, and what came of it, as JSON lines in a stream of its own, apart from the host's log.
// Guarantees: a line never holds a secret; it never stops a request, whatever the disk does; who repeats himself is
// counted instead of written down, and files are turned over, so that no flood fills a disk or drives out what was before.
// It knows no event by itself: docs/security-events.md lists them.
import { currentFlow } from '../context/call.ts';
import { traceOf } from '../context/trace.ts';
import { isTrial } from '../context/trial.ts';
import type { Count } from './instruments.ts';
import { Repeated } from './repeated.ts';
import { withoutSecrets } from './secrets.ts';
import type { Sink } from './security-sink.ts';

/** `limited`: refused because there were too many. `failed`: let in, and did not come to its end. */
export type Outcome = 'ok' | 'refused' | 'limited' | 'failed';

/** Who did it, as far as it was proven; what somebody only says of himself belongs into `claimed`. */
export interface Actor {
  readonly kind: 'anonymous' | 'user' | 'operator' | 'module' | 'service';
  readonly id?: string;
  readonly name?: string;
}

export interface SecurityEvent {
  /** Dotted, from the general to the special: `session.begin`, `token.internal`, `admin.place`. */
  readonly event: `${string}.${string}`;
  readonly outcome: Outcome;
  /** Default: nobody in particular. */
  readonly actor?: Actor;
  /** Of the client, or of the host that asked. */
  readonly address?: string | undefined;
  /** A W3C traceparent. Default: of what runs now. */
  readonly trace?: string | undefined;
  /** What it was done to. */
  readonly target?: string | undefined;
  /** Why it was refused, or what an operator gave as remark; in words. */
  readonly reason?: string | undefined;
  /** What somebody said of himself and did not prove. */
  readonly claimed?: string | undefined;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface SecurityLog {
  /** Never throws, and waits for nothing. */
  write(event: SecurityEvent): void;
}

/** Where nobody listens: tests of parts. */
export const noSecurityLog: SecurityLog = { write() {} };

export interface SecurityLogOptions {
  /** This host, in every line. */
  readonly host: string;
  readonly sink: Sink;
  /** Hears of every event, also of those that are left out of the file, by `event` and `outcome`. */
  readonly count?: Count | undefined;
}

export function createSecurityLog({
  host,
  sink,
  count,
}: SecurityLogOptions): SecurityLog & { close(): void } {
  const put = (event: SecurityEvent, leftOut: number): void => {
    const trace = event.trace ?? currentFlow()?.traceparent;
    sink.write(
      `${JSON.stringify(
        withoutSecrets({
          time: new Date().toISOString(),
          log: 'security',
          host,
          ...event,
          actor: event.actor ?? { kind: 'anonymous' },
          trace: trace === undefined ? undefined : traceOf(trace).trace_id,
          leftOut: leftOut === 0 ? undefined : leftOut,
        }),
      )}\n`,
    );
  };
  const repeated = new Repeated(put);
  return {
    write(event) {
      // Nothing of a trial has happened.
      if (isTrial()) return;
      count?.({ event: event.event, outcome: event.outcome });
      try {
        repeated.add(event);
      } catch {
        // What cannot be written as JSON is no reason to refuse a request.
        sink.write(
          `${JSON.stringify({ time: new Date().toISOString(), log: 'security', host, event: event.event, outcome: event.outcome })}\n`,
        );
      }
    },
    close() {
      repeated.close();
      sink.close();
    },
  };
}
