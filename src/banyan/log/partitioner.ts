// Which partition a key belongs to in the Postgres log. Kafka's own partitioner (murmur2) decides in Kafka;
// only stability matters, since nothing compares the two.
import { crc32 } from 'node:zlib';

export function partitionOf(key: string | null, partitions: number): number {
  return key === null ? Math.floor(Math.random() * partitions) : crc32(key) % partitions;
}
