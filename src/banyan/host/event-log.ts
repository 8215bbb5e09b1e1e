// The log of events that this host publishes to and reads: Kafka where BROKER_URL names it, else the log in Postgres.
// A monolith and a gateway have one client of it for all modules. So has a service on Kafka; on the log in Postgres it has
// one for each of its modules, which speaks as that module's role and may do what that module needs (log/postgres-log-doors.sql).
// A broker that does not answer is told of in the log and keeps no host from starting.
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import { openLog } from '../events/open-log.ts';
import { parseBrokerUrl } from '../log/kafka/url.ts';
import type { EventLog } from '../log/port.ts';
import { lookForBroker } from './broker.ts';
import type { Database } from './database.ts';
import type { Undo } from './undo.ts';

/** @param module undefined: for work on all topics, which a service has not got. */
export type EventLogOf = (module?: string) => EventLog;

export async function openEventLogs(
  settings: Settings,
  database: Database,
  log: Logger,
  undo: Undo,
): Promise<EventLogOf> {
  const { hostId } = settings;
  const brokerUrl = kafkaOf(settings);
  const open = async (logUrl: string | undefined, whole: boolean) => {
    const one = await openLog({ brokerUrl, users: usersOf(settings), logUrl, whole, hostId, log });
    undo.push('event log', () => one.close());
    return one;
  };
  if (brokerUrl) void lookForBroker(brokerUrl, log);
  const { logUrl } = database;
  if (settings.role === 'service' && logUrl !== undefined)
    log.warn(
      'BROKER_URL names the log in PostgreSQL by its own role, which may write every topic. Set BROKER_URL=postgres: ' +
        'then this host speaks to it as the roles of its modules, and may do no more than they need.',
    );
  if (brokerUrl !== undefined || logUrl !== undefined) {
    const one = await open(logUrl, true);
    return () => one;
  }
  const logs = new Map<string, EventLog>();
  for (const module of settings.modules) logs.set(module, await open(database.sharedUrl(module), false));
  return (module) => {
    const found = module === undefined ? undefined : logs.get(module);
    if (!found) throw new Error(`This host has no log for ${module ?? 'work on all topics'}`);
    return found;
  };
}

/** As whom services speak to Kafka, by module. */
function usersOf({ moduleBrokerUrls }: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(moduleBrokerUrls).map(([module, url]) => [module, parseBrokerUrl(url).user!]),
  );
}

/** BROKER_URL when it is Kafka's. */
function kafkaOf({ brokerUrl }: Settings): string | undefined {
  return brokerUrl?.startsWith('kafka') ? brokerUrl : undefined;
}
