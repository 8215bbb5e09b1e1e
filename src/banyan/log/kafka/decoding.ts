// What kafkajs does with the bytes of a fetch, put right: a batch that cannot be read becomes an `Obstructed` in the
// place of its records and not an error that ends the fetching of every partition; checksums are compared, which
// kafkajs leaves out (by a native library, 0.4 µs for 700 bytes; kafkajs' own takes 5); an unknown codec is not
// taken for none. Batches that are whole are decoded by kafkajs as before.
import { createRequire } from 'node:module';
import { codecNames, MAX_UNPACKED_BYTES } from './codecs.ts';
import { type Decoder, inside, replaceInside } from './internals.ts';
import { type Obstructed, obstructed, UNKNOWN_OFFSET, Unreadable } from './unreadable.ts';

type Message = { readonly offset: string; readonly value: Buffer | null } | Obstructed;
interface Response {
  readonly responses: readonly {
    readonly partitions: { errorCode: number; messages: readonly Message[] }[];
  }[];
}

const load = createRequire(import.meta.url);

/** More records than this in one batch are not unpacked: each costs about 300 bytes and a microsecond. */
const MAX_RECORDS = 250_000;
/** Codes of the broker that say: this partition cannot be read. The others go on. */
const brokenAtBroker = new Map([
  [-1, 'an unexpected error'],
  [2, 'a corrupt record'],
  [56, 'an error of its disk'],
  [76, 'a compression that it cannot hand on'],
]);

let installed = false;

/** Before the first fetch: kafkajs loads these files then. */
export function installDecoding(): void {
  if (installed) return;
  installed = true;
  const theirs = inside('protocol/requests/fetch/v4/decodeMessages');
  replaceInside(
    'protocol/requests/fetch/v4/decodeMessages',
    (decoder) => decodeMessages(decoder, theirs) as Promise<never[]>,
  );
  const response = inside('protocol/requests/fetch/v1/response');
  const { parse } = response;
  response.parse = (data) => parse(withoutBroken(data) as never);
}

function withoutBroken(data: Response): Response {
  for (const { partitions } of data.responses) {
    for (const one of partitions) {
      const what = brokenAtBroker.get(one.errorCode);
      if (what === undefined) continue;
      const why = new Unreadable(`the broker answers with ${what} (error ${one.errorCode})`, 'broker');
      one.messages = [obstructed(why, { last: UNKNOWN_OFFSET })];
      one.errorCode = 0;
    }
  }
  return data;
}

/** Offset 8: length of what follows. 16: format. 17: checksum of all from 21 on. 57: records. */
const LENGTH_AT = 8;
const LOG_OVERHEAD = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const CODEC_AT = 22;
const HEADER_BYTES = 61;

/** As kafkajs' own, one partition of a response. */
async function decodeMessages(
  decoder: Decoder,
  theirs: (decoder: Decoder) => Promise<Message[]>,
): Promise<Message[]> {
  const size = decoder.buffer.readInt32BE(decoder.offset);
  if (size <= 0 || !decoder.canReadBytes(4 + size)) return theirs(decoder);
  decoder.readInt32();
  const bytes = decoder.readBytes(size);
  if (bytes.length <= MAGIC_AT) return [];
  const magic = bytes[MAGIC_AT]!;
  if (magic < 2) return decodeSet(bytes);
  const found: Message[] = [];
  let unpacked = 0;
  let last: Obstructed | undefined;
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const end = at + LOG_OVERHEAD + bytes.readInt32BE(at + LENGTH_AT);
    const whole = end >= at + HEADER_BYTES && end <= bytes.length;
    // A batch that is cut off comes again whole; the first one of an answer is never cut off.
    if (!whole && found.length > 0) break;
    const batch = bytes.subarray(at, whole ? end : bytes.length);
    const messages = whole ? await decodeBatch(batch) : [broken(batch, 'its length is wrong')];
    const first = firstOffset(batch);
    if (last) {
      // What stands behind a broken batch is trusted only when it is whole itself.
      if (messages[0] && 'obstructed' in messages[0]) break;
      if (BigInt(last.offset) >= first) last.offset = String(first - 1n);
    }
    last = messages[0] && 'obstructed' in messages[0] ? messages[0] : undefined;
    for (const one of messages) found.push(one);
    unpacked += batch[CODEC_AT]! & 7 ? sum(messages) : 0;
    if (!whole || unpacked > MAX_UNPACKED_BYTES) break;
    at = end;
  }
  return found;
}

async function decodeBatch(batch: Buffer): Promise<Message[]> {
  if (batch[MAGIC_AT] !== 2) return [broken(batch, `its format ${batch[MAGIC_AT]} is unknown`)];
  if (checksum()(batch.subarray(CRC_AT + 4)) !== batch.readUInt32BE(CRC_AT))
    return [broken(batch, 'its checksum is wrong')];
  try {
    const codec = batch[CODEC_AT]! & 7;
    if (codec >= codecNames.length)
      throw new Unreadable(`its codec ${codec} is unknown (we read ${codecNames.join(', ')})`, 'codec');
    if (batch.readInt32BE(57) > MAX_RECORDS)
      throw new Unreadable(`it says that it holds more than ${MAX_RECORDS} records`, 'bomb');
    const { records } = await inside('protocol/recordBatch/v0/decoder')(decoderOf(batch));
    return records;
  } catch (error) {
    return [broken(batch, error)];
  }
}

/** Messages as they were written before Kafka 0.11, in segments that old: all of them or none. */
async function decodeSet(bytes: Buffer): Promise<Message[]> {
  try {
    return await inside('protocol/messageSet/decoder')(decoderOf(bytes), bytes.length);
  } catch (error) {
    return [broken(bytes, error)];
  }
}

function broken(batch: Buffer, error: unknown): Obstructed {
  const reason = typeof error === 'string' ? error : `it cannot be decoded (${(error as Error).message})`;
  const why = error instanceof Unreadable ? error : new Unreadable(reason, 'corrupt', error);
  const first = firstOffset(batch);
  const isBatch = batch.length >= HEADER_BYTES && batch[MAGIC_AT]! >= 2;
  const more = isBatch ? Math.max(0, batch.readInt32BE(23)) : 0;
  return obstructed(why, {
    first: String(first),
    last: String(first + BigInt(more)),
    ...(isBatch && why.kind !== 'corrupt' ? { timestamp: String(batch.readBigInt64BE(35)) } : {}),
  });
}

function firstOffset(batch: Buffer): bigint {
  return batch.readBigInt64BE(0);
}

/** About what the records take; the batch's own bytes are freed. */
function sum(messages: readonly Message[]): number {
  let bytes = 0;
  for (const { value } of messages) bytes += 64 + (value?.length ?? 0);
  return bytes;
}

function decoderOf(bytes: Buffer): Decoder {
  return new (inside('protocol/decoder'))(bytes);
}

let crc32c: ((bytes: Buffer) => number) | undefined;
/** Where the library has no build, kafkajs' own, which is slower and as right. */
function checksum(): (bytes: Buffer) => number {
  try {
    crc32c ??= (load('@node-rs/crc32') as { crc32c: (bytes: Buffer) => number }).crc32c;
  } catch {
    crc32c ??= inside('protocol/recordBatch/crc32C');
  }
  return crc32c;
}
