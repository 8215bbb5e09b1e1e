// Where a moment begins in each partition. To find it the broker unpacks the batch of that moment; if that one is
// broken it answers with an error for the whole topic, and an earlier moment is asked for: the reading then leaves
// out what is too old.
import type { Admin } from 'kafkajs';

const earlierMs = [0, 60_000, 3_600_000, 86_400_000];
const broken = new Set(['UNKNOWN', 'CORRUPT_MESSAGE', 'KAFKA_STORAGE_ERROR']);

/** The broker answered, and says that it cannot read a part of its log. Also below the retries of kafkajs. */
export function isBroken(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: unknown };
  return broken.has(type ?? '') || (cause instanceof Error && isBroken(cause));
}

export interface Beginnings {
  /** Offsets by partition; null for one that has nothing later. Undefined: the oldest everywhere. */
  readonly offsets?: ReadonlyMap<number, bigint | null>;
  /** Earlier than was asked for. */
  readonly early: boolean;
}

export async function offsetsFrom(admin: Admin, topic: string, from: Date): Promise<Beginnings> {
  for (const earlier of earlierMs) {
    try {
      const found = await admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, from.getTime() - earlier));
      const offsets = found.map(
        ({ partition, offset }) => [partition, offset === '-1' ? null : BigInt(offset)] as const,
      );
      return { offsets: new Map(offsets), early: earlier > 0 };
    } catch (error) {
      if (!isBroken(error)) throw error;
    }
  }
  return { early: true };
}
