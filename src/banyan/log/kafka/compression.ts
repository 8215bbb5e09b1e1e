// A topic of somebody else's making may be configured to compress what it gets (`compression.type`). All codecs are
// read; whether this machine can is tried when the topic is first used and not at its first batch, and said once.
import type { Admin } from 'kafkajs';
import type { LogLogger } from '../port.ts';
import { tryCodec } from './codecs.ts';
import { topicSettings } from './topic-settings.ts';

const SETTING = 'compression.type';

/** Throws nothing: a broker may not let us read configurations, and then the first such batch tells. */
export async function warnOfCodecs(admin: Admin, topics: readonly string[], log: LogLogger): Promise<void> {
  if (topics.length === 0) return;
  for (const { topic, codec } of await compressions(admin, topics)) {
    try {
      await tryCodec(codec);
    } catch (error) {
      log.warn(
        { err: error, topic, codec },
        `the topic ${topic} has compression.type=${codec}, and ${(error as Error).message}: its partitions will be ` +
          'parked. Run npm ci on this machine, or set compression.type=producer on the topic.',
      );
    }
  }
}

async function compressions(admin: Admin, topics: readonly string[]) {
  try {
    return [...(await topicSettings(admin, topics, [SETTING]))].flatMap(([topic, { [SETTING]: codec }]) =>
      codec === undefined ? [] : { topic, codec },
    );
  } catch {
    return [];
  }
}
