// Pictures in, pictures and thumbnails out. An upload is a pending row, then its bytes, then the row made
// final with its event: a final row always has its bytes, and whatever is killed in between leaves a row
// by which the bytes are found and removed. It knows nothing of HTTP, nor of where the bytes are.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { v7 } from 'uuid';
import {
  type AddressRule,
  type Download,
  isTrial,
  type Limits,
  problem,
  type SessionCall,
  type Store,
  type UploadCall,
} from '#banyan';
import type { PrismaClient } from '../../../prisma/media/client/client.ts';
import { media } from './contract.ts';
import { type Image, NotAnImage } from './decoding/decode.ts';
import type { Decoder } from './decoding/processes.ts';
import { isTurned } from './decoding/turned.ts';
import { withoutMetadata } from './decoding/without-metadata.ts';
import type { MediaRepository, Picture } from './repository.ts';
import type { Storage } from './storage.ts';

export type Variant = 'original' | 'thumb';

/** A picture never changes under its id. */
const CACHE_CONTROL = 'public, max-age=31536000, immutable';

/** Bytes kept in memory; what never changes, no other host can contradict. Thumbnails are about 10 kB. */
const KEPT_BYTES = 32 * 1024 * 1024;
const KEPT_ENTRY = 1024 * 1024;

const SWEEP_BATCH = 100;

/**
 * What a customer may keep: a thousand pictures of a telephone, at half a megabyte each. Administrators fill the
 * catalog, which has no such end; seeds are nobody's.
 */
export const quota = { pictures: 1000, bytes: 500 * 1024 * 1024 };

const uploads: AddressRule = { name: 'uploads', most: 120, seconds: 60 };

/** For work that nobody waits for in a request. */
const patient = { deadline: Number.POSITIVE_INFINITY };

export interface MediaServiceParts {
  readonly store: Store<PrismaClient>;
  readonly repository: MediaRepository;
  readonly storage: Storage;
  readonly decoder: Decoder;
  readonly limits: Limits;
}

export class MediaService {
  readonly #parts: MediaServiceParts;
  readonly #kept = new LRUCache<string, Download>({
    maxSize: KEPT_BYTES,
    maxEntrySize: KEPT_ENTRY,
    sizeCalculation: ({ bytes }) => bytes.length + 500,
  });
  /** What is being read, by key: a picture that many ask for at once is read, and mended, once. */
  readonly #reading = new Map<string, Promise<Download>>();

  constructor(parts: MediaServiceParts) {
    this.#parts = parts;
  }

  async upload(call: SessionCall & UploadCall) {
    const { user, upload } = call;
    await this.#parts.limits.take(uploads, call.address);
    const id = v7();
    try {
      const image = await this.#parts.decoder.decode(call, upload.bytes);
      const { contentType, width, height, original } = await this.keep(
        id,
        user.id,
        image,
        user.role !== 'admin',
      );
      return { id, contentType, width, height, bytes: original.length };
    } catch (error) {
      if (!(error instanceof NotAnImage)) throw error;
      const message = error.message;
      throw problem(media, 'not-an-image', { errors: [{ path: '/file', message }], cause: error });
    }
  }

  /** Stores a picture under this id. What a failure or a crash leaves behind, `sweep` removes. */
  async keep(id: string, userId: string | null, decoded: Image, counted: boolean): Promise<Image> {
    const { store, repository, storage } = this.#parts;
    const { thumb, original: bytes, ...image } = decoded;
    const picture = { id, userId, ...image, bytes: bytes.length, sha256: sha256(bytes), stripped: true };
    const row = { ...picture, thumbBytes: thumb.length, thumbSha256: sha256(thumb) };
    if (!(await repository.begin(row, counted ? quota : undefined))) throw overQuota();
    const writes = [storage.write(keyOf(id, 'original'), bytes), storage.write(keyOf(id, 'thumb'), thumb)];
    try {
      await allEnded(writes).catch((error) => Promise.reject(storageFailed(error)));
      const { sha256: _, stripped: __, id: mediaId, ...facts } = picture;
      await store.transaction(async (tx) => {
        if (!(await repository.finish(tx.sql, id))) return;
        await tx.publish(media.events['media-uploaded'], { mediaId, ...facts });
      });
    } catch (error) {
      // This failure is the one to tell; the sweep comes to what is left.
      await this.#giveUp(id).catch(() => {});
      throw error;
    }
    return decoded;
  }

  async show(id: string, variant: Variant = 'original'): Promise<Download> {
    const key = keyOf(id, variant);
    const kept = this.#kept.get(key);
    if (kept) return kept;
    // What a trial finds may be its own, and what it reads it shares with nobody.
    if (isTrial()) return this.#read(id, variant, key);
    let reading = this.#reading.get(key);
    if (!reading) {
      reading = this.#read(id, variant, key).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return reading;
  }

  async #read(id: string, variant: Variant, key: string): Promise<Download> {
    const picture = await this.#parts.repository.find(id);
    if (!picture) throw problem(media, 'media-unknown');
    const stored = await this.#parts.storage.read(key).catch((error) => Promise.reject(storageFailed(error)));
    if (!stored)
      throw storageFailed(new Error(`${key} is not in the storage: is STORAGE_URL another one now?`));
    const bytes = variant === 'original' && !picture.stripped ? await this.#strip(picture, stored) : stored;
    const download: Download =
      variant === 'original'
        ? {
            contentType: picture.contentType,
            bytes,
            etag: picture.stripped ? picture.sha256 : sha256(bytes),
            cacheControl: CACHE_CONTROL,
          }
        : { contentType: 'image/webp', bytes, etag: picture.thumbSha256, cacheControl: CACHE_CONTROL };
    if (!isTrial()) this.#kept.set(key, download);
    return download;
  }

  /**
   * A picture that was stored before metadata were taken off: it is mended by whoever first shows it. Two hosts that
   * do so at once write the same bytes.
   */
  async #strip({ id, contentType }: Picture, bytes: Buffer): Promise<Buffer> {
    const { storage, repository } = this.#parts;
    const clean = (await this.#turned(bytes)) ?? lossless(bytes, contentType);
    await storage.write(keyOf(id, 'original'), clean).catch((error) => Promise.reject(storageFailed(error)));
    await repository.noteStripped(id, clean.length, sha256(clean));
    return clean;
  }

  /** Only what is to be turned is decoded: the queue is short, and the first views of a whole shop would fill it. */
  async #turned(bytes: Buffer): Promise<Buffer | undefined> {
    if (!isTurned(bytes)) return undefined;
    try {
      return (await this.#parts.decoder.decode(patient, bytes)).original;
    } catch (error) {
      // It was taken under other limits: what is larger than today's is shown without its metadata all the same.
      if (error instanceof NotAnImage) return undefined;
      throw error;
    }
  }

  /** Removes what uploads began an hour ago and never finished. Any number of hosts may do it at once. */
  async sweep(): Promise<boolean> {
    const ids = await this.#parts.repository.unfinished(SWEEP_BATCH);
    for (const id of ids) await this.#giveUp(id);
    return ids.length === SWEEP_BATCH;
  }

  /** The row decides first: what is stored after all (the answer to its commit was lost) stays. */
  async #giveUp(id: string): Promise<void> {
    const { repository, storage } = this.#parts;
    if (!(await repository.giveUp(id))) return;
    await Promise.all([storage.remove(keyOf(id, 'original')), storage.remove(keyOf(id, 'thumb'))]);
    await repository.forget(id);
  }
}

/** Ends when all have ended, so that nothing is written behind a failure's back. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

function overQuota() {
  const { pictures, bytes } = quota;
  return problem(media, 'quota-exceeded', {
    detail: `An account keeps at most ${pictures} pictures and ${bytes / 1024 / 1024} MB, and this one would be more.`,
    extra: { quota },
  });
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

function storageFailed(cause: unknown) {
  return problem(media, 'storage-failed', { retryAfter: 5, cause });
}

/** Stored bytes from which nothing can be left out are not shown: they may tell where their owner lives. */
function lossless(bytes: Buffer, contentType: string): Buffer {
  try {
    return withoutMetadata(bytes, contentType);
  } catch (cause) {
    const detail = 'The stored picture is damaged, and its metadata cannot be taken off. Upload it again.';
    throw problem(media, 'storage-failed', { detail, retryAfter: 5, cause });
  }
}

/** Ids come in any case and are one id. */
export function keyOf(id: string, variant: Variant): string {
  return `${id.toLowerCase()}.${variant}`;
}
