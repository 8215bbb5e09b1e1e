// How the topics stand that events go through: on Kafka what somebody else may have set, in PostgreSQL what is removed in time. A
// setting that lets the log lose an event, refuse one, or forget it before it can be replayed. Pure.
import type { LogState, TopicState } from '../log/port.ts';
import { error, type Finding, orWell, warning } from './finding.ts';
import { inDays, KAFKA, kafkaTopic } from './kafka-topics.ts';

/** The log in PostgreSQL is trimmed every ten minutes, by whichever monolith. */
const TRIM_LATE_SECONDS = 2 * 3_600;

/** @param wanted topics of the modules. @param production: one broker, or one copy, is right on a laptop. */
export function topicsOf(
  state: LogState,
  kind: 'kafka' | 'postgres',
  wanted: readonly string[],
  production: boolean,
): Finding[] {
  const missing = wanted
    .filter((topic) => !state.topics.some((one) => one.topic === topic))
    .map((topic) =>
      error(
        'topic',
        topic,
        'is not there: its events wait in the outbox',
        kind === 'kafka'
          ? `A monolith makes it where it may: ${KAFKA}`
          : 'Restart a monolith, which makes it: docs/operations.md#upgrades',
      ),
    );
  const found = state.topics.flatMap((topic) =>
    orWell(
      kind === 'kafka' ? kafkaTopic(topic, state, production) : keptTopic(topic, state),
      'topic',
      topic.topic,
      inWords(topic),
    ),
  );
  return [...missing, ...found];
}

function inWords({ partitions, replicas, retentionMs }: TopicState): string {
  const copies = replicas === undefined ? '' : `, ${replicas} ${replicas === 1 ? 'copy' : 'copies'}`;
  return `${partitions} partitions${copies}, kept for ${inDays(retentionMs)}`;
}

function keptTopic(
  { topic, partitions, oldestSeconds, retentionMs }: TopicState,
  { wanted }: LogState,
): Finding[] {
  const found: Finding[] = [];
  if (partitions !== wanted.partitions)
    found.push(
      warning(
        'topic',
        topic,
        `has ${partitions} partitions, and a new one has ${wanted.partitions}`,
        'Leave it: a key would go to another partition, out of its order (docs/events.md)',
      ),
    );
  if (typeof retentionMs === 'number' && (oldestSeconds ?? 0) > retentionMs / 1_000 + TRIM_LATE_SECONDS)
    found.push(
      warning(
        'topic',
        topic,
        `has events that are ${inDays(oldestSeconds! * 1_000)} old, and keeps them for ${inDays(retentionMs)}: nobody removes them`,
        'A monolith does, every ten minutes; its log says "the log could not be trimmed", and why: docs/operations.md#what-to-watch',
      ),
    );
  return found;
}
