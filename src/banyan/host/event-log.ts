// The log of events that this host publishes to and reads: Kafka where BROKER_URL names it, else the log in Postgres.
// A broker that does not answer is told of in the log and keeps no host from starting.
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import { openLog } from '../events/open-log.ts';
import { parseBrokerUrl } from '../log/kafka/url.ts';
import type { EventLog } from '../log/port.ts';
import { lookForBroker } from './broker.ts';
import type { Database } from './database.ts';
import type { Undo } from './undo.ts';

export async function openEventLog(
  settings: Settings,
  { logUrl }: Database,
  log: Logger,
  undo: Undo,
): Promise<EventLog> {
  const brokerUrl = kafkaOf(settings);
  const eventLog = await openLog({
    brokerUrl,
    users: usersOf(settings),
    logUrl,
    hostId: settings.hostId,
    log,
  });
  if (brokerUrl) void lookForBroker(brokerUrl, log);
  undo.push('event log', () => eventLog.close());
  return eventLog;
}

/** As whom services speak to Kafka, by module. */
function usersOf({ moduleBrokerUrls }: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(moduleBrokerUrls).map(([module, url]) => [module, parseBrokerUrl(url).user!]),
  );
}

/** BROKER_URL when it is Kafka's; a service's may be the URL of its monolith's Postgres log. */
function kafkaOf({ brokerUrl }: Settings): string | undefined {
  return brokerUrl?.startsWith('kafka') ? brokerUrl : undefined;
}
