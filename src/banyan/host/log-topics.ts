// What a monolith prepares on a log that services cannot prepare for themselves: the topics of all modules, also of those
// that never ran here, and what each module's own principal is let do with them. On Kafka it is looked at again, because a broker
// may come back without either, and keeps no host from starting: events wait in the outboxes meanwhile.
import type { Logger } from 'pino';
import type { Contract } from '../contract/contract.ts';
import type { EventLog, LogUse } from '../log/port.ts';
import type { RunningModule } from './boot-module.ts';
import type { Undo } from './undo.ts';

const AGAIN_MS = 30_000;
/** While it does not answer. */
const SOONER_MS = 2_000;

/**
 * What is in PostgreSQL is there when this resolves, before any service can be that needs it.
 * @param running all modules: which topics one reads follows from its listeners.
 */
export async function prepareLog(
  eventLog: EventLog,
  contracts: readonly Contract[],
  running: readonly RunningModule[],
  log: Logger,
  undo: Undo,
): Promise<void> {
  const uses = contracts.map((contract) => useOf(contract, running));
  // A broker may be away at a start, and come back without either. The log in PostgreSQL is where the stores are.
  if (eventLog.kind === 'postgres') await eventLog.allow!(uses);
  else keepTopics(eventLog, uses, log, undo);
}

function keepTopics(eventLog: EventLog, uses: readonly LogUse[], log: Logger, undo: Undo): void {
  const topics = uses.flatMap(({ topic }) => topic ?? []);
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const look = async () => {
    let wait = AGAIN_MS;
    try {
      // First, for this host's own rights are among those that it gives.
      await eventLog.allow?.(uses);
      await eventLog.ensureTopics(topics);
    } catch (error) {
      log.warn({ err: error }, 'the topics of the modules were not prepared; trying again');
      wait = SOONER_MS;
    }
    if (!ended) timer = setTimeout(() => void look(), wait).unref();
  };
  void look();
  undo.push('topics', () => {
    ended = true;
    clearTimeout(timer);
  });
}

function useOf({ module, events }: Contract, running: readonly RunningModule[]): LogUse {
  return {
    module,
    topic: Object.keys(events).length > 0 ? `${module}.events` : undefined,
    reads: running.find(({ name }) => name === module)?.events.topics ?? [],
  };
}
