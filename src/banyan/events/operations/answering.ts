// The log as operators ask it: when it does not answer they are told so, and not that "something" is away.
import { type Problem, problem } from '../../contract/problem.ts';
import { type EventLog, UnknownTopic } from '../../log/port.ts';
import { events } from './contract.ts';

/** Reads, lags and topics of the log; what goes wrong becomes the 503 problem. Nothing is ever appended. */
export type AskedLog = Pick<EventLog, 'kind' | 'ensureTopics' | 'lag' | 'read'>;

export function askedLog(eventLog: EventLog): AskedLog {
  const away = (error: unknown): Problem | UnknownTopic =>
    error instanceof UnknownTopic
      ? error
      : problem(events, 'log-unreachable', {
          detail:
            `${eventLog.kind === 'kafka' ? 'The broker' : 'The database of the log'} does not answer: ` +
            `${error instanceof Error ? error.message : String(error)}. Events wait in the outboxes; none is lost.`,
          retryAfter: 5,
          cause: error,
        });
  const told = async <T>(work: Promise<T>) =>
    work.catch((error: unknown) => {
      throw away(error);
    });
  return {
    kind: eventLog.kind,
    ensureTopics: (topics) => told(eventLog.ensureTopics(topics)),
    lag: (group, topics) => told(eventLog.lag(group, topics)),
    async *read(topic, options) {
      const records = eventLog.read(topic, options)[Symbol.asyncIterator]();
      try {
        for (;;) {
          const { value, done } = await told(records.next());
          if (done) return;
          yield value;
        }
      } finally {
        await records.return?.();
      }
    },
  };
}
