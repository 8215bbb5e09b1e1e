// A topic on Kafka, whose settings are anybody's who may: those by which events are lost, refused, or forgotten before their time. Pure.
import { RESTART_DAYS } from '../events/retention.ts';
import type { LogState, TopicState } from '../log/port.ts';
import { error, type Finding, warning } from './finding.ts';

export const KAFKA = 'docs/operations.md#kafka';
const DAY_MS = 86_400_000;

export const inDays = (ms: number | null | undefined) =>
  ms === null || ms === undefined ? 'ever' : `${Number((ms / DAY_MS).toFixed(1))} days`;

export function kafkaTopic(
  one: TopicState,
  { wanted, brokers = 1 }: LogState,
  production: boolean,
): Finding[] {
  const { topic } = one;
  const say = (make: typeof error, words: string, remedy: string) => make('topic', topic, words, remedy);
  const set = (name: string, value: string | number) =>
    `kafka-configs --alter --entity-type topics --entity-name ${topic} --add-config ${name}=${value}`;
  const found: Finding[] = [];
  if (one.offline)
    found.push(
      say(
        error,
        `${one.offline} partitions have no leader: nobody writes or reads them`,
        'Start the brokers that have them',
      ),
    );
  if (one.behind)
    found.push(
      say(
        warning,
        `${one.behind} partitions are on fewer brokers than they should be`,
        'Start the broker that is missing',
      ),
    );
  if (one.cleanup?.includes('compact'))
    found.push(
      say(
        error,
        `cleanup.policy = ${one.cleanup.join(',')}: earlier events of a key are removed`,
        set('cleanup.policy', 'delete'),
      ),
    );
  if (one.maxBytes !== undefined && wanted.maxBytes !== undefined && one.maxBytes < wanted.maxBytes)
    found.push(
      say(
        error,
        `max.message.bytes = ${one.maxBytes}: an event may be refused, and with it all of its module`,
        set('max.message.bytes', wanted.maxBytes),
      ),
    );
  if (one.uncleanLeaders)
    found.push(
      say(
        error,
        'unclean.leader.election.enable = true: a broker that lacks events may lead, and they are lost',
        set('unclean.leader.election.enable', 'false'),
      ),
    );
  if (one.partitions < wanted.partitions)
    found.push(
      say(
        warning,
        `has ${one.partitions} partitions of ${wanted.partitions}: fewer are handled at once`,
        `Leave it: a key would go to another partition, out of its order. A new topic has ${wanted.partitions} (${KAFKA})`,
      ),
    );
  return [...found, ...retention(one, wanted.retentionMs, set), ...copies(one, brokers, production, set)];
}

type SetTo = (name: string, value: string | number) => string;

/** What a log keeps for longer than inboxes remember would take effect twice when it comes again. */
function retention(
  { topic, retentionMs, retentionBytes }: TopicState,
  wantedMs: number,
  set: SetTo,
): Finding[] {
  const keep = set('retention.ms', wantedMs);
  const found: Finding[] = [];
  if (retentionMs === null || (retentionMs !== undefined && retentionMs > RESTART_DAYS * DAY_MS))
    found.push(
      warning(
        'topic',
        topic,
        `keeps events for ${inDays(retentionMs)}, longer than inboxes know them again (${RESTART_DAYS} days)`,
        keep,
      ),
    );
  else if (retentionMs !== undefined && retentionMs < wantedMs)
    found.push(
      (retentionMs < DAY_MS ? error : warning)(
        'topic',
        topic,
        `keeps events for ${inDays(retentionMs)} of ${inDays(wantedMs)}: a consumer that is away for longer loses them, and no replay has them`,
        keep,
      ),
    );
  if (typeof retentionBytes === 'number')
    found.push(
      warning(
        'topic',
        topic,
        `retention.bytes = ${retentionBytes}: events go before their time when there are many`,
        set('retention.bytes', -1),
      ),
    );
  return found;
}

function copies(
  { topic, replicas, minInSync }: TopicState,
  brokers: number,
  production: boolean,
  set: SetTo,
): Finding[] {
  if (replicas === undefined) return [];
  const say = (make: typeof error, words: string, remedy: string) => make('topic', topic, words, remedy);
  const right = Math.min(3, brokers);
  const found: Finding[] = [];
  if (replicas < right || (production && replicas === 1))
    found.push(
      say(
        warning,
        `is on ${replicas} of ${brokers} broker${brokers === 1 ? '' : 's'}: what is lost with one is lost`,
        brokers === 1
          ? `Use three brokers in production: ${KAFKA}`
          : 'Give it more by kafka-reassign-partitions',
      ),
    );
  if (minInSync === undefined) return found;
  if (minInSync > replicas)
    found.push(
      say(
        error,
        `min.insync.replicas = ${minInSync} of ${replicas}: nothing can be written`,
        set('min.insync.replicas', Math.max(1, replicas - 1)),
      ),
    );
  else if (replicas > 1 && minInSync === replicas)
    found.push(
      say(
        warning,
        `min.insync.replicas = ${minInSync} of ${replicas}: nothing is written while one broker restarts`,
        set('min.insync.replicas', replicas - 1),
      ),
    );
  else if (replicas >= 3 && minInSync < 2)
    found.push(
      say(
        warning,
        `min.insync.replicas = ${minInSync} of ${replicas}: an event counts as written on one broker alone`,
        set('min.insync.replicas', 2),
      ),
    );
  return found;
}
