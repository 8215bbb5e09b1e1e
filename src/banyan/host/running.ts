// A host that runs, and what whoever starts one says.
import type { Logger } from 'pino';
import type { Follower } from '../placement/follower.ts';
import type { LogLines } from '../telemetry/log-lines.ts';

export interface RunningHost {
  /** The public base URL; undefined on a service. */
  readonly url: string | undefined;
  /** Where /admin is, if it has a port of its own. */
  readonly adminUrl?: string | undefined;
  readonly internalUrl: string;
  readonly placements: Follower;
  /** Ends everything that this host began. Safe to call twice. */
  close(): Promise<void>;
}

export interface StartOptions {
  readonly log: Logger;
  /** The lines of that log, to be sent by OTLP; absent: they stay here. */
  readonly lines?: LogLines | undefined;
  /** Fires when the host is told to stop; a start that is under way then breaks off and rejects. */
  readonly signal: AbortSignal;
  /** The host cannot go on (its registration was refused): end the process. */
  readonly onFatal: (error: Error) => void;
}
