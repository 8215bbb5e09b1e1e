// Whether bytes are an image that can be shown, what it measures, its thumbnail, and the bytes without what the camera
// wrote of its owner. An image counts only once it was decoded to its last row: a header alone is no picture.
// It knows no storage, no request and no queue; processes.ts runs it in a process of its own.
import type { Metadata } from 'sharp';
import { withoutMetadata } from './without-metadata.ts';

/** Loaded with the first picture: libvips costs 80 ms and 23 MB that a host without uploads never needs. */
export const decoder = async () => {
  const { default: sharp } = await import('sharp');
  // Nothing is decoded twice; one picture uses one core, and there are two at once (processes.ts).
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
};

/**
 * Megapixels, so that no picture takes more than about 250 MB (measured: libvips 8.18, flat and noisy pictures).
 * Where rows come one after the other 40 of them take 50 MB. Progressive JPEG holds 6 bytes a pixel (8 in CMYK),
 * interlaced PNG up to 8, GIF 6, an animation its whole canvas; AVIF takes 20, and 4 s of a core for 40 megapixels.
 * 13 are a telephone's camera, 24 a good one.
 */
const most = { rows: 40, whole: 25, avif: 13 };

const THUMB_SIDE = 320;

export interface Image {
  readonly contentType: string;
  /** As shown, after the camera's own rotation. */
  readonly width: number;
  readonly height: number;
  /** WebP, at most 320 pixels a side. */
  readonly thumb: Buffer;
  /** What is kept and shown: the bytes as they came where they carry no metadata. */
  readonly original: Buffer;
}

/** The bytes are no image that can be shown here; the message says why, for the one who sent them. */
export class NotAnImage extends Error {}

export async function decode(bytes: Buffer): Promise<Image> {
  const sharp = await decoder();
  try {
    const image = sharp(bytes, { limitInputPixels: most.rows * 1e6, failOn: 'error' });
    const metadata = await image.metadata();
    const contentType = contentTypeOf(metadata);
    const { autoOrient, orientation = 1, width, height } = metadata;
    const limit = megapixelsOf(metadata);
    // Of an animation the height of one picture; `limitInputPixels` knows only all formats' limit.
    if (width * (metadata.pageHeight ?? height) > limit * 1e6) throw tooLarge(limit);
    // Decodes everything, so a file that was cut off fails here.
    const thumb = await image
      .autoOrient()
      .resize(THUMB_SIDE, THUMB_SIDE, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 80 })
      .toBuffer();
    // An orientation that only metadata tells would be lost with them: then the pixels are turned. HEIF turns by itself.
    const turned = orientation > 1 && contentType !== 'image/avif';
    const original = turned ? await turn(bytes, metadata) : withoutMetadata(bytes, contentType);
    return { contentType, width: autoOrient.width, height: autoOrient.height, thumb, original };
  } catch (error) {
    if (error instanceof NotAnImage) throw error;
    if (error instanceof Error && error.message.includes('pixel limit')) throw tooLarge(most.rows);
    throw new NotAnImage('cannot be decoded: it is damaged, or it is not an image', { cause: error });
  }
}

/** Written once more, turned: JPEG and WebP at a quality at which nobody sees the difference. */
async function turn(bytes: Buffer, { format, chromaSubsampling }: Metadata): Promise<Buffer> {
  const sharp = await decoder();
  const image = sharp(bytes, { limitInputPixels: most.rows * 1e6 })
    .autoOrient()
    .keepIccProfile();
  if (format === 'png') return image.png().toBuffer();
  if (format === 'webp') return image.webp({ quality: 95 }).toBuffer();
  if (format === 'gif') return image.gif().toBuffer();
  return image
    .jpeg({ quality: 95, chromaSubsampling: chromaSubsampling === '4:4:4' ? '4:4:4' : '4:2:0' })
    .toBuffer();
}

function megapixelsOf({ format, isProgressive, pages = 1 }: Metadata): number {
  if (format === 'heif') return most.avif;
  return isProgressive || pages > 1 || format === 'gif' ? most.whole : most.rows;
}

const tooLarge = (limit: number) =>
  new NotAnImage(`has more than ${limit} megapixels, the most of its kind: send a smaller one`);

function contentTypeOf({ format, compression }: Metadata): string {
  if (format === 'jpeg' || format === 'png' || format === 'webp' || format === 'gif') {
    return `image/${format}`;
  }
  // AVIF is the HEIF container with AV1 inside; HEIC, with HEVC inside, no browser but Safari shows.
  if (format === 'heif' && compression === 'av1') return 'image/avif';
  throw new NotAnImage(`is ${format ?? 'of an unknown format'}: send JPEG, PNG, WebP, AVIF or GIF`);
}
