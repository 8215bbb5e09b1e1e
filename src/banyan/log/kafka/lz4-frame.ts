// How much an LZ4 frame can unpack to, read from the sizes of its blocks without unpacking any: the library has no
// bound of its own, and one megabyte can become 255. Throws for what is no frame; whether the blocks are sound is
// for the library to say. https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md

const MAGIC = 0x184d2204;
/** By the three bits of the block descriptor. */
const blockBytes = new Map([4, 5, 6, 7].map((bits) => [bits, 2 ** (8 + 2 * bits)]));
/** The most that a byte of a block can become. */
const RATIO = 255;

export function lz4Bound(frame: Buffer): number {
  if (frame.length < 7 || frame.readUInt32LE(0) !== MAGIC) throw new Error('no LZ4 frame');
  const flags = frame[4]!;
  const most = blockBytes.get((frame[5]! >> 4) & 7);
  if (flags >> 6 !== 1 || most === undefined) throw new Error('an LZ4 frame of an unknown version');
  const blockChecksum = flags & 0x10 ? 4 : 0;
  let at = 6 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0) + 1;
  let bytes = 0;
  for (;;) {
    if (at + 4 > frame.length) throw new Error('an LZ4 frame that ends too early');
    const head = frame.readUInt32LE(at);
    if (head === 0) return bytes;
    const size = head & 0x7fffffff;
    const plain = head >>> 31 === 1;
    bytes += plain ? size : Math.min(most, size * RATIO);
    at += 4 + size + blockChecksum;
  }
}
