// Whether bytes are an image that can be shown, what it measures, and its thumbnail. An image counts only
// once it was decoded to its last row: a header alone is no picture. It knows no storage and no request.

/** Loaded with the first picture: libvips costs 80 ms and 23 MB that a host without uploads never needs. */
export const decoder = () => import('sharp').then((module) => module.default);

/** 100 megapixels: every camera's picture, and a stop to files of a few kilobytes that unpack to gigabytes. */
const maxPixels = 100_000_000;

const thumbSide = 320;

export interface Image {
  readonly contentType: string;
  /** As shown, after the camera's own rotation. */
  readonly width: number;
  readonly height: number;
  /** WebP, at most 320 pixels a side. */
  readonly thumb: Buffer;
}

/** The bytes are no image that can be shown here; the message says why, for the one who sent them. */
export class NotAnImage extends Error {}

export async function readImage(bytes: Buffer): Promise<Image> {
  const sharp = await decoder();
  try {
    const image = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error' });
    const { format, compression, autoOrient } = await image.metadata();
    const contentType = contentTypeOf(format, compression);
    // Decodes everything, so a file that was cut off fails here.
    const thumb = await image
      .autoOrient()
      .resize(thumbSide, thumbSide, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 80 })
      .toBuffer();
    return { contentType, width: autoOrient.width, height: autoOrient.height, thumb };
  } catch (error) {
    if (error instanceof NotAnImage) throw error;
    const tooLarge = error instanceof Error && error.message.includes('pixel limit');
    throw new NotAnImage(
      tooLarge
        ? `has more than ${maxPixels / 1_000_000} megapixels`
        : 'cannot be decoded: it is damaged, or it is not an image',
      { cause: error },
    );
  }
}

function contentTypeOf(format: string | undefined, compression: string | undefined): string {
  if (format === 'jpeg' || format === 'png' || format === 'webp' || format === 'gif') {
    return `image/${format}`;
  }
  // AVIF is the HEIF container with AV1 inside; HEIC, with HEVC inside, no browser but Safari shows.
  if (format === 'heif' && compression === 'av1') return 'image/avif';
  throw new NotAnImage(`is ${format ?? 'of an unknown format'}: send JPEG, PNG, WebP, AVIF or GIF`);
}
