// What media promises: pictures in, pictures and thumbnails out.
import { closed, defineContract, event, id, operation, Type } from '#banyan';

/** The pictures that a new shop begins with: fixed, so that products can name them before media has any. */
export const seedPictureIds: readonly string[] = Array.from(
  { length: 12 },
  (_, index) => `01900000-0000-7000-8000-${(index + 1).toString(16).padStart(12, '0')}`,
);

export const media = defineContract('media', {
  summary: 'Pictures and their thumbnails',
  errors: {
    'not-an-image': { status: 422, title: 'The file is not an image that can be read' },
    // Not 413: this file is not too large. Not 507: no server lacks room, and a client that repeats it changes nothing.
    'quota-exceeded': { status: 403, title: 'The account keeps as many pictures as it may' },
    'media-unknown': { status: 404, title: 'No such picture' },
    'storage-failed': { status: 503, title: 'The storage of pictures is full or out of reach' },
  },
  operations: {
    upload: operation({
      summary: 'Upload an image (JPEG, PNG, WebP, AVIF or GIF), up to 10 MB',
      description:
        'At most 40 megapixels; 25 in progressive JPEG, interlaced PNG, GIF and animations; 13 in AVIF. An account keeps at most 1,000 pictures and 500 MB, administrators any number. EXIF, GPS and other metadata are taken off, but the colour profile.',
      access: 'session',
      http: { method: 'POST', path: '/api/media', status: 201 },
      upload: { field: 'file', maxBytes: 10 * 1024 * 1024 },
      input: closed({}),
      output: Type.Object({
        id: id(),
        contentType: Type.String({ examples: ['image/jpeg'] }),
        width: Type.Integer({ examples: [1600] }),
        height: Type.Integer({ examples: [1200] }),
        bytes: Type.Integer({ examples: [245_760] }),
      }),
      shadow: { never: 'a file is sent by HTTP alone, and decoding a picture takes a process of its own' },
      idempotent: false,
      errors: ['not-an-image', 'quota-exceeded', 'storage-failed'],
    }),
    show: operation({
      summary: 'The picture itself, or its thumbnail (at most 320 pixels a side, WebP)',
      access: 'public',
      http: { method: 'GET', path: '/api/media/:id' },
      download: true,
      input: closed({
        id: id(undefined, seedPictureIds[0]),
        variant: Type.Optional(Type.Union([Type.Literal('original'), Type.Literal('thumb')])),
      }),
      output: Type.Unsafe<Buffer>(Type.String({ contentMediaType: 'application/octet-stream' })),
      shadow: { never: 'what it answers is a file, and is sent by HTTP alone' },
      idempotent: true,
      errors: ['media-unknown', 'storage-failed'],
    }),
  },
  events: {
    'media-uploaded': event({
      summary: 'A picture was stored',
      version: 1,
      key: 'mediaId',
      data: Type.Object({
        mediaId: id(),
        userId: Type.Union([id(), Type.Null()]),
        contentType: Type.String(),
        width: Type.Integer(),
        height: Type.Integer(),
        bytes: Type.Integer(),
      }),
    }),
  },
});
