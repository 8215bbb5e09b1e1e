// Topics as this library makes them, and the wait until one answers.
import type { Admin } from 'kafkajs';
import { MAX_BATCH_BYTES } from './sender.ts';

export interface NewTopics {
  readonly partitions: number;
  /** -1: the broker's. */
  readonly replicationFactor: number;
  readonly retentionMs: number;
}

export async function createTopics(
  admin: Admin,
  topics: readonly string[],
  { partitions, replicationFactor, retentionMs }: NewTopics,
): Promise<void> {
  if (topics.length === 0) return;
  await admin.createTopics({
    waitForLeaders: false,
    topics: topics.map((topic) => ({
      topic,
      numPartitions: partitions,
      replicationFactor,
      configEntries: [
        { name: 'retention.ms', value: String(retentionMs) },
        // Not the broker's default: an event that the topic refuses would stop all events of its module.
        { name: 'max.message.bytes', value: String(MAX_BATCH_BYTES) },
        // Nor its own compression: batches stay as they were sent.
        { name: 'compression.type', value: 'producer' },
      ],
    })),
  });
}

const USABLE_WITHIN_MS = 10_000;

/**
 * A topic is known to a broker some time before its partitions answer, and kafkajs' own waiting (`waitForLeaders`)
 * gives up at the first answer that does not know it yet.
 */
export async function untilUsable(admin: Admin, topic: string): Promise<void> {
  const deadline = Date.now() + USABLE_WITHIN_MS;
  for (;;) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (Date.now() > deadline || !isPassing(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Also below the "number of retries exceeded" that kafkajs makes of it. */
function isPassing(error: unknown): boolean {
  const { retriable, cause } = error as { retriable?: boolean; cause?: unknown };
  return retriable === true || (cause instanceof Error && isPassing(cause));
}
