// Topics as the brokers have them: who has which partition, and what each topic is set to. A topic may have been made by
// somebody else, and its settings changed at any time; who looks compares them. It judges nothing and changes nothing.
import type { Admin } from 'kafkajs';
import type { LogState, TopicState } from '../port.ts';
import { topicSettings } from './topic-settings.ts';

const SETTINGS = [
  'cleanup.policy',
  'max.message.bytes',
  'min.insync.replicas',
  'retention.bytes',
  'retention.ms',
  'unclean.leader.election.enable',
] as const;

type Settings = Readonly<Partial<Record<(typeof SETTINGS)[number], string>>>;

export async function inspectTopics(
  admin: Admin,
  topics: readonly string[],
): Promise<Pick<LogState, 'brokers' | 'topics'>> {
  const [{ brokers }, known] = await Promise.all([admin.describeCluster(), admin.listTopics()]);
  const there = topics.filter((topic) => known.includes(topic));
  // Without names the broker tells of all that there are.
  if (there.length === 0) return { brokers: brokers.length, topics: [] };
  const [{ topics: found }, settings] = await Promise.all([
    admin.fetchTopicMetadata({ topics: there }),
    topicSettings(admin, there, SETTINGS),
  ]);
  return {
    brokers: brokers.length,
    topics: found.map(({ name, partitions }) => ({
      topic: name,
      partitions: partitions.length,
      replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      behind: partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length,
      offline: partitions.filter(({ leader }) => leader < 0).length,
      ...inNumbers(settings.get(name) ?? {}),
    })),
  };
}

/** What the broker did not say is left out. */
function inNumbers(settings: Settings): Partial<TopicState> {
  const whole = (name: keyof Settings) => (settings[name] === undefined ? undefined : Number(settings[name]));
  const bounded = (name: keyof Settings) => {
    const value = whole(name);
    return value === -1 ? null : value;
  };
  const found = {
    minInSync: whole('min.insync.replicas'),
    retentionMs: bounded('retention.ms'),
    retentionBytes: bounded('retention.bytes'),
    maxBytes: whole('max.message.bytes'),
    cleanup: settings['cleanup.policy']?.split(',').map((one) => one.trim()),
    uncleanLeaders: bool(settings['unclean.leader.election.enable']),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

const bool = (text: string | undefined) => (text === undefined ? undefined : text === 'true');
