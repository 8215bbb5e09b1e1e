// A broker's segment on disk, for tests of what a disk or a stranger can do to it: a batch is changed in place, which
// the running broker serves at once, and its checksum is set right again where only its content is to be wrong.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_UNPACKED_BYTES } from '../../log/kafka/codecs.ts';
import { inside } from '../../log/kafka/internals.ts';
import type { Broker } from './broker.ts';

const crc32c = inside('protocol/recordBatch/crc32C');

export type Damage = 'flipped byte' | 'unknown codec' | 'rubbish' | 'bomb';

/** Harms the batch that begins at this offset; answers what puts it back as it was. */
export async function damageSegment(
  { data }: Broker,
  topic: string,
  partition: number,
  offset: string,
  damage: Damage,
): Promise<() => Promise<void>> {
  const file = join(data, `${topic}-${partition}`, '00000000000000000000.log');
  const before = await readFile(file);
  const after = Buffer.from(before);
  const at = place(after, BigInt(offset));
  const end = at + 12 + after.readInt32BE(at + 8);
  const batch = after.subarray(at, end);
  if (damage === 'flipped byte') batch[batch.length - 3]! ^= 0x10;
  else {
    if (damage === 'unknown codec') batch[22] = 6;
    if (damage === 'rubbish') batch[22] = 3;
    if (damage === 'bomb') {
      batch[22] = 2;
      // Raw snappy that says how much it is: one byte more than is taken.
      let left = MAX_UNPACKED_BYTES + 1;
      for (let n = 61; left > 0; n += 1, left = Math.floor(left / 128))
        batch[n] = (left & 127) | (left > 127 ? 128 : 0);
    }
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  }
  await overwrite(file, after);
  return () => overwrite(file, before);
}

/** In place: the broker has the file open. */
async function overwrite(file: string, bytes: Buffer): Promise<void> {
  await writeFile(file, bytes, { flag: 'r+' });
}

function place(segment: Buffer, offset: bigint): number {
  for (let at = 0; at + 61 <= segment.length; at += 12 + segment.readInt32BE(at + 8))
    if (segment.readBigInt64BE(at) === offset) return at;
  throw new Error(`No batch begins at ${offset}`);
}
