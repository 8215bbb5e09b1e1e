// What a monolith prepares on a log that services cannot prepare for themselves: the topics of all modules, also of those
// that never ran here, and what each module's own principal is let do with them. Looked at again, because a broker may come
// back without either. It keeps no host from starting: events wait in the outboxes meanwhile.
import type { Logger } from 'pino';
import type { Contract } from '../contract/contract.ts';
import type { EventLog, LogUse } from '../log/port.ts';
import type { RunningModule } from './boot-module.ts';
import type { Undo } from './undo.ts';

const AGAIN_MS = 30_000;
/** While it does not answer. */
const SOONER_MS = 2_000;

/** @param running all modules: which topics one reads follows from its listeners. */
export function keepTopics(
  eventLog: EventLog,
  contracts: readonly Contract[],
  running: readonly RunningModule[],
  log: Logger,
  undo: Undo,
): void {
  const uses = contracts.map((contract) => useOf(contract, running));
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
