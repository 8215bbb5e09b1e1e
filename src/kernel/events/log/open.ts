// Which log a host uses: Kafka where a broker is configured, else the one in PostgreSQL.
import { createKafkaLog } from './kafka/log.ts';
import type { EventLog, LogLogger } from './port.ts';
import { createPostgresLog } from './postgres.ts';

export interface LogOptions {
  /** BROKER_URL; undefined: the Postgres log. */
  readonly brokerUrl: string | undefined;
  /** Connection URL of the role banyan_log. Unused with a broker. */
  readonly logUrl: string;
  readonly hostId: string;
  readonly log: LogLogger;
}

export function openLog({ brokerUrl, logUrl, hostId, log }: LogOptions): EventLog {
  return brokerUrl
    ? createKafkaLog({ url: brokerUrl, clientId: `banyan-${hostId}`, log })
    : createPostgresLog({ url: logUrl, log });
}
