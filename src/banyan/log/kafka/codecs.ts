// Unpacking of compressed batches, for all codecs that Kafka has: gzip and zstd by Node, snappy and lz4 by libraries
// that are loaded when the first such batch comes (35 to 45 ms each) and never on a log without compression.
// What a batch unpacks to is bounded: a megabyte of gzip or zstd can hold gigabytes. It knows nothing of topics.
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { lz4Bound } from './lz4-frame.ts';
import { Unreadable } from './unreadable.ts';
import { snappyBlocks } from './xerial.ts';

/** Of one batch: 32 times the largest that a topic of ours takes. */
export const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;

export const codecNames = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type CodecName = (typeof codecNames)[number];
type Packed = Exclude<CodecName, 'uncompressed'>;

const unpackers: Readonly<Record<Packed, (packed: Buffer) => Promise<Buffer>>> = {
  gzip: bounded(promisify(gunzip)),
  zstd: bounded(promisify(zstdDecompress)),
  snappy: async (packed) => {
    const { uncompress } = await load('snappy');
    const blocks = snappyBlocks(packed);
    if (blocks.bytes > MAX_UNPACKED_BYTES) throw tooLarge();
    const parts: Buffer[] = [];
    for (const block of blocks.blocks) parts.push((await uncompress(block)) as Buffer);
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  },
  lz4: async (packed) => {
    const { decompressFrame } = await load('lz4');
    if (lz4Bound(packed) > MAX_UNPACKED_BYTES) throw tooLarge();
    return decompressFrame(packed);
  },
};

/** Node finds no such name in what kafkajs exports to ES modules. */
const { CompressionCodecs } = createRequire(import.meta.url)('kafkajs') as typeof import('kafkajs');

/** Gives kafkajs the codecs that it lacks, and bounds to the one that it has. */
export function installCodecs(): void {
  for (const [id, name] of codecNames.entries()) {
    if (name === 'uncompressed') continue;
    CompressionCodecs[id as keyof typeof CompressionCodecs] = () => ({
      decompress: (packed: Buffer) => unpack(name, packed),
      compress: () => {
        throw new Error('Nothing is sent compressed: consumers of an older version could not read it');
      },
    });
  }
}

async function unpack(name: Packed, packed: Buffer): Promise<Buffer> {
  try {
    return await unpackers[name](packed);
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable(`its ${name} data cannot be unpacked (${words(error)})`, 'corrupt', error);
  }
}

/** Throws when batches of this codec could not be read here: its library has no build for this machine, say. */
export async function tryCodec(name: string): Promise<void> {
  if (name === 'snappy' || name === 'lz4') await load(name);
}

const libraries = {
  snappy: () => import('snappy'),
  lz4: () => import('lz4-napi'),
};

async function load<N extends keyof typeof libraries>(
  name: N,
): Promise<Awaited<ReturnType<(typeof libraries)[N]>>> {
  try {
    return (await libraries[name]()) as Awaited<ReturnType<(typeof libraries)[N]>>;
  } catch (error) {
    const why = `the library that unpacks ${name} does not load on this machine (${words(error)})`;
    throw new Unreadable(why, 'library', error);
  }
}

function bounded(
  inflate: (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>,
): (packed: Buffer) => Promise<Buffer> {
  return async (packed) => {
    try {
      return await inflate(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge() : error;
    }
  };
}

function tooLarge(): Unreadable {
  return new Unreadable(`it unpacks to more than ${MAX_UNPACKED_BYTES / 1024 / 1024} MiB`, 'bomb');
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
