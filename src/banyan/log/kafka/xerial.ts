// The two ways in which Kafka's producers write snappy: as one raw block, and, by Java, in the framing of the library
// of Xerial: a header of 16 bytes, then blocks with their length before each. Says how much the blocks unpack to,
// which each tells at its beginning. Unpacks nothing.

const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER_BYTES = 16;

export interface SnappyBlocks {
  readonly blocks: readonly Buffer[];
  /** Of all of them, unpacked. */
  readonly bytes: number;
}

export function snappyBlocks(packed: Buffer): SnappyBlocks {
  const blocks = isHeader(packed, 0) ? framed(packed) : [packed];
  return { blocks, bytes: blocks.reduce((sum, block) => sum + unpackedBytes(block), 0) };
}

function framed(packed: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let at = 0;
  while (at < packed.length) {
    // Streams that were put together keep the header of each.
    if (isHeader(packed, at)) {
      at += HEADER_BYTES;
      continue;
    }
    const size = at + 4 <= packed.length ? packed.readInt32BE(at) : -1;
    if (size < 0 || at + 4 + size > packed.length) throw new Error('snappy data that ends too early');
    blocks.push(packed.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return blocks;
}

function isHeader(packed: Buffer, at: number): boolean {
  return packed.length >= at + HEADER_BYTES && packed.subarray(at, at + magic.length).equals(magic);
}

/** A varint of at most 32 bits. */
function unpackedBytes(block: Buffer): number {
  let bytes = 0;
  for (let n = 0; n < 5; n += 1) {
    const byte = block[n];
    if (byte === undefined) break;
    bytes += (byte & 0x7f) * 2 ** (7 * n);
    if (byte < 0x80) return bytes;
  }
  throw new Error('snappy data without a length');
}
