// Bounded unpacking: what was packed comes back, what would not fit into memory is refused before it is unpacked, and
// rubbish ends in words.
import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressFrame } from 'lz4-napi';
import { compress } from 'snappy';
import { expect, test } from 'vitest';
import { codecNames, installCodecs, MAX_UNPACKED_BYTES } from './codecs.ts';
import { lz4Bound } from './lz4-frame.ts';
import { Unreadable } from './unreadable.ts';

installCodecs();
const { CompressionCodecs } = createRequire(import.meta.url)('kafkajs') as typeof import('kafkajs');
const unpack = (name: (typeof codecNames)[number], packed: Uint8Array): Promise<Buffer> =>
  CompressionCodecs[codecNames.indexOf(name) as keyof typeof CompressionCodecs]!().decompress(
    Buffer.from(packed),
  );

/** As Java's producer does: a header, then blocks with their lengths, here of at most 32 KiB. */
async function xerial(plain: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [
    Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
  ];
  for (let at = 0; at < plain.length; at += 32_768) {
    const block = await compress(plain.subarray(at, at + 32_768));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

const packers = [
  ['gzip', async (plain: Buffer) => gzipSync(plain)],
  ['zstd', async (plain: Buffer) => zstdCompressSync(plain)],
  ['lz4', (plain: Buffer) => compressFrame(plain)],
  ['snappy', (plain: Buffer) => compress(plain)],
  ['snappy', xerial],
] as const;

test.each(packers)('%s: what was packed comes back', async (name, pack) => {
  for (const bytes of [1, 100_000, 1_000_000]) {
    const plain = Buffer.from(Array.from({ length: bytes }, (_, n) => (n * n) % 251));
    expect((await unpack(name, await pack(plain))).equals(plain), String(bytes)).toBe(true);
  }
});

test.each(packers)('%s: what unpacks to too much is refused', async (name, pack) => {
  const packed = await pack(Buffer.alloc(MAX_UNPACKED_BYTES + 5_000_000));
  await expect(unpack(name, packed)).rejects.toThrow('unpacks to more than 32 MiB');
});

test.each(packers)('%s: what is cut off or rubbish is told in words', async (name, pack) => {
  const packed = await pack(Buffer.from('one two three '.repeat(9_000)));
  const wrong = [packed.subarray(0, packed.length >> 1), Buffer.from('rubbish'), Buffer.alloc(0)];
  for (const one of wrong) await expect(unpack(name, one)).rejects.toThrow(Unreadable);
});

test('a frame of lz4 is measured by its blocks', async () => {
  const plain = Buffer.alloc(1_000_000, 'abc');
  const bound = lz4Bound(await compressFrame(plain, { contentChecksum: true, blockChecksums: true }));
  expect(bound).toBeGreaterThanOrEqual(plain.length);
  expect(bound).toBeLessThan(8 * plain.length);
});
