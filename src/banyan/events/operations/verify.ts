// Outbox and ledger, log and inboxes against one another. Per topic and span of time it asks:
// is everything that was committed in the log, and at every consumer that listens to it? Once? In order?
// An event on its way (in the outbox, or in the log beyond what a consumer has taken) is in flight, not lost;
// one that failed is dead, not lost: the dead letters tell of it.
import type { Obstacle } from '../../log/port.ts';
import type { ModuleEvents } from '../module-events.ts';
import type { AskedLog } from './answering.ts';
import type { Example, TopicVerdict, Verified } from './verdict.ts';
import { TopicCheck } from './verify-topic.ts';

export async function verify(
  modules: readonly ModuleEvents[],
  eventLog: AskedLog,
  span: { from: Date; until: Date },
): Promise<Verified> {
  const topics: TopicVerdict[] = [];
  const examples: Example[] = [];
  const unreadable: Obstacle[] = [];
  for (const owner of modules) {
    if (Object.keys(owner.contract.events).length === 0) continue;
    const one = new TopicCheck(owner, modules, eventLog, span);
    topics.push(await one.run());
    examples.push(...one.examples);
    unreadable.push(...one.unreadable);
  }
  return { topics, examples, unreadable };
}
