// Which log a host uses: Kafka where a broker is configured, else the one in PostgreSQL.
import type { EventLog, LogLogger } from '../log/port.ts';
import { createPostgresLog } from '../log/postgres.ts';

export interface LogOptions {
  /** BROKER_URL; undefined: the Postgres log. */
  readonly brokerUrl: string | undefined;
  /** The users of modules on that broker, by module. */
  readonly users?: Readonly<Record<string, string>>;
  /** Connection URL of the role banyan_log, or of a module's. Unused with a broker. */
  readonly logUrl: string | undefined;
  /** That is the role banyan_log, not a module's. Default true. */
  readonly whole?: boolean;
  readonly hostId: string;
  readonly log: LogLogger;
}

export async function openLog({
  brokerUrl,
  users,
  logUrl,
  whole = true,
  hostId,
  log,
}: LogOptions): Promise<EventLog> {
  if (!brokerUrl) return createPostgresLog({ url: logUrl!, whole, log });
  // Loaded where it is used: kafkajs costs a start of 70 ms.
  const { createKafkaLog } = await import('../log/kafka/log.ts');
  return createKafkaLog({ url: brokerUrl, users, clientId: `banyan-${hostId}`, log });
}
