// Media as a client sees it: pictures in, pictures and thumbnails out, and everything that is no picture refused.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { type Answer, inBothPlacements } from '../../../test/shop.ts';
import { query } from '../../banyan/postgres/testing.ts';
import { seedPictureIds } from './contract.ts';

const nobody = '0192aaaa-0000-7000-8000-000000000000';
const formats = ['jpeg', 'png', 'webp', 'avif', 'gif'] as const;

const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#2a7' }, limitInputPixels: false });

inBothPlacements('media', (shop) => {
  const form = (bytes: Buffer | string, field = 'file', type = 'image/png', name = 'picture.png') => {
    const body = new FormData();
    body.set(field, new Blob([new Uint8Array(Buffer.from(bytes as string))], { type }), name);
    return body;
  };
  const send = async (body: unknown, token?: string) =>
    shop().call('POST', '/api/media', { token: token ?? (await shop().customer()).token, body });
  const upload = (bytes: Buffer | string) => send(form(bytes));
  const show = (id: string, variant?: string, headers: Record<string, string> = {}) =>
    shop().call('GET', `/api/media/${id}${variant ? `?variant=${variant}` : ''}`, { headers });
  const rows = (text: string, values: unknown[]) => query(shop().started.databaseUrl, text, values);
  const expectProblem = (answer: Answer, status: number, code: string, path?: string) => {
    expect(answer.body).toMatchObject({ status, code });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    if (path) expect(answer.body.errors).toEqual([{ path, message: expect.any(String) }]);
  };

  test.each(formats)('takes %s and gives it back byte by byte, with a thumbnail', async (format) => {
    const bytes = await plain(640, 400).toFormat(format).toBuffer();
    const { status, body } = await upload(bytes);
    expect(status, JSON.stringify(body)).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      contentType: `image/${format}`,
      width: 640,
      height: 400,
      bytes: bytes.length,
    });
    const original = await show(body.id);
    expect(original.status).toBe(200);
    expect(original.headers.get('content-type')).toBe(`image/${format}`);
    expect(original.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(bytes.equals(original.body)).toBe(true);
    expect(bytes.equals((await show(body.id, 'original')).body)).toBe(true);
    const thumb = await show(body.id, 'thumb');
    expect(thumb.headers.get('content-type')).toBe('image/webp');
    expect(thumb.headers.get('etag')).not.toBe(original.headers.get('etag'));
    expect(await sharp(thumb.body).metadata()).toMatchObject({ format: 'webp', width: 320, height: 200 });
  });

  test('a small picture is not blown up', async () => {
    const { body } = await upload(await plain(20, 10).png().toBuffer());
    expect(await sharp((await show(body.id, 'thumb')).body).metadata()).toMatchObject({
      width: 20,
      height: 10,
    });
  });

  test("measures as it is seen, after the camera's rotation", async () => {
    const bytes = await plain(60, 40).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { body } = await upload(bytes);
    expect(body).toMatchObject({ width: 40, height: 60 });
    expect(await sharp((await show(body.id, 'thumb')).body).metadata()).toMatchObject({
      width: 40,
      height: 60,
    });
  });

  test('what it is decides its content, not what the client calls it', async () => {
    const answer = await send(form(await plain(9, 9).gif().toBuffer(), 'file', 'text/html', '../../x.html'));
    expect(answer).toMatchObject({ status: 201, body: { contentType: 'image/gif' } });
  });

  test('the same picture twice is two, and both are served', async () => {
    const bytes = await plain(30, 30).png().toBuffer();
    const { token } = await shop().customer();
    const answers = await Promise.all(Array.from({ length: 6 }, () => send(form(bytes), token)));
    const ids = new Set(answers.map(({ body }) => body.id));
    expect(ids.size).toBe(6);
    for (const id of ids) expect((await show(id)).status).toBe(200);
  });

  test('answers conditions and ranges', async () => {
    const bytes = await plain(50, 50).png().toBuffer();
    const { id } = (await upload(bytes)).body;
    const etag = (await show(id)).headers.get('etag')!;
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect((await show(id, 'original', { 'if-none-match': etag })).status).toBe(304);
    const part = await show(id, 'original', { range: 'bytes=0-9' });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 0-9/${bytes.length}`);
    expect(bytes.subarray(0, 10).equals(part.body)).toBe(true);
    const tail = await show(id, 'original', { range: 'bytes=-5' });
    expect(bytes.subarray(-5).equals(tail.body)).toBe(true);
    expectProblem(await show(id, 'original', { range: 'bytes=99999999-' }), 416, 'range-not-satisfiable');
  });

  test('needs a session', async () => {
    const body = form(await plain(9, 9).png().toBuffer());
    expectProblem(await shop().call('POST', '/api/media', { body }), 401, 'unauthenticated');
    expectProblem(await send(body, 'not.a.token'), 401, 'unauthenticated');
    expectProblem(await send(body, shop().adminToken), 403, 'forbidden');
  });

  test('refuses what is no picture', async () => {
    const jpeg = await plain(400, 400).jpeg().toBuffer();
    const wrong: [string, Buffer | string][] = [
      ['a text', 'this is no picture'],
      ['a header alone', Buffer.from('89504e470d0a1a0a', 'hex')],
      ['a picture that was cut off', jpeg.subarray(0, jpeg.length * 0.6)],
      ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>1</script></svg>'],
      ['a TIFF', await plain(9, 9).tiff().toBuffer()],
      ['a page', '<!doctype html><img src=x>'],
    ];
    for (const [what, bytes] of wrong) {
      const answer = await upload(bytes);
      expect(answer.status, what).toBe(422);
      expectProblem(answer, 422, 'not-an-image', '/file');
    }
  });

  test.each<[string, () => Promise<Buffer>]>([
    ['40 megapixels', () => plain(8000, 5001).png().toBuffer()],
    ['25 in a progressive JPEG', () => plain(5001, 5000).jpeg({ progressive: true }).toBuffer()],
    ['25 in an interlaced PNG', () => plain(5001, 5000).png({ progressive: true }).toBuffer()],
    ['25 in a GIF', () => plain(5001, 5000).gif({ effort: 1 }).toBuffer()],
    ['13 in AVIF', () => plain(3700, 3600).avif({ effort: 0 }).toBuffer()],
  ])('refuses a small file that unpacks to more than %s', async (_, make) => {
    const bomb = await make();
    expect(bomb.length).toBeLessThan(2_000_000);
    const answer = await upload(bomb);
    expectProblem(answer, 422, 'not-an-image', '/file');
    expect(answer.body.errors[0].message).toContain('megapixels');
  });

  test("takes a camera's 24 megapixels, progressive or not, and a telephone's 12 in AVIF", async () => {
    for (const bytes of [
      await plain(6000, 4000).jpeg({ progressive: true }).toBuffer(),
      await plain(4032, 3024).avif({ effort: 0 }).toBuffer(),
    ]) {
      expect((await upload(bytes)).status).toBe(201);
    }
  });

  test('shows an original without what the camera wrote of its owner, turned as it was', async () => {
    const exif = { IFD0: { Artist: 'Ada' }, IFD3: { GPSLatitude: '47/1 29/1 0/1', GPSLatitudeRef: 'N' } };
    const bytes = await plain(60, 40).jpeg().withExif(exif).withMetadata({ orientation: 6 }).toBuffer();
    expect((await sharp(bytes).metadata()).exif).toBeDefined();
    const { body } = await upload(bytes);
    const original = (await show(body.id)).body as Buffer;
    const { exif: left, autoOrient, icc } = await sharp(original).metadata();
    expect({ left, width: autoOrient.width, height: autoOrient.height }).toEqual({ width: 40, height: 60 });
    expect(icc).toBeDefined();
    expect(original.includes('Ada')).toBe(false);
    expect(body.bytes).toBe(original.length);
  });

  test('of sixteen heavy pictures at once some are stored and the rest told to come again', async () => {
    const bytes = await plain(4000, 3000).jpeg({ progressive: true }).toBuffer();
    const { token } = await shop().customer();
    const answers = await Promise.all(Array.from({ length: 24 }, () => send(form(bytes), token)));
    const statuses = new Set(answers.map((one) => one.status));
    expect(statuses).toEqual(new Set([201, 503]));
    const refused = answers.find((one) => one.status === 503)!;
    expectProblem(refused, 503, 'unavailable');
    expect(refused.headers.get('retry-after')).toBe('2');
    expect((await send(form(bytes), token)).status).toBe(201);
  });

  test('an account keeps so many pictures and bytes, however many come at once', async () => {
    const bytes = await plain(9, 9).png().toBuffer();
    for (const [pictures, size] of [
      [999, 1],
      [1, 500 * 1024 * 1024 - bytes.length],
    ] as const) {
      const { id, token } = await shop().customer();
      await rows(
        `INSERT INTO media.pictures (id, user_id, status, content_type, width, height, bytes, sha256, thumb_bytes,
           thumb_sha256, created_at)
         SELECT gen_random_uuid(), $1, 'stored', 'image/png', 9, 9, $3, '', 1, '', now() FROM generate_series(1, $2::int)`,
        [id, pictures, size],
      );
      const answers = await Promise.all(Array.from({ length: 6 }, () => send(form(bytes), token)));
      expect(answers.map((one) => one.status).sort()).toEqual([201, 403, 403, 403, 403, 403]);
      expectProblem(answers.find((one) => one.status === 403)!, 403, 'quota-exceeded');
    }
  });

  /** As an older version stored it. */
  const storedBefore = async (bytes: Buffer) => {
    const { id } = (await upload(await plain(70, 50).jpeg().toBuffer())).body;
    const path = join(fileURLToPath(shop().started.env.STORAGE_URL!), id.slice(34), `${id}.original`);
    await writeFile(path, bytes);
    await rows('UPDATE media.pictures SET stripped = false WHERE id = $1', [id]);
    return { id, path };
  };
  const exif = { IFD0: { Artist: 'Ada' } };

  test('a picture that was stored with its metadata loses them when it is shown', async () => {
    const { id, path } = await storedBefore(await plain(70, 50).jpeg().withExif(exif).toBuffer());
    const shown = await show(id);
    expect((shown.body as Buffer).includes('Ada')).toBe(false);
    expect((await readFile(path)).equals(shown.body)).toBe(true);
    expect((await show(id)).headers.get('etag')).toBe(shown.headers.get('etag'));
    expect(await rows('SELECT stripped, bytes FROM media.pictures WHERE id = $1', [id])).toEqual([
      { stripped: true, bytes: shown.body.length },
    ]);
  });

  test('forty who first show a picture at once all see it, turned or not', async () => {
    for (const orientation of [1, 6]) {
      const picture = plain(70, 50).jpeg().withExif(exif).withMetadata({ orientation });
      const { id } = await storedBefore(await picture.toBuffer());
      const answers = await Promise.all(Array.from({ length: 40 }, () => show(id)));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 200));
      const { width, exif: left } = await sharp(answers[0]!.body).metadata();
      expect([width, left]).toEqual([orientation === 6 ? 50 : 70, undefined]);
    }
  });

  test('forty pictures that are first shown at once wait for no decoder', async () => {
    const bytes = await plain(70, 50).jpeg().withExif(exif).toBuffer();
    const { id, path } = await storedBefore(bytes);
    const ids = Array.from(
      { length: 40 },
      (_, i) => `${id.slice(0, 24)}${String(i).padStart(10, '0')}${id.slice(34)}`,
    );
    for (const other of ids) await writeFile(join(dirname(path), `${other}.original`), bytes);
    await rows(
      `INSERT INTO media.pictures (id, user_id, status, content_type, width, height, bytes, sha256, thumb_bytes,
         thumb_sha256, stripped, created_at)
       SELECT one, NULL, 'stored', 'image/jpeg', 70, 50, 1, '', 1, '', false, now() FROM unnest($1::uuid[]) AS one`,
      [ids],
    );
    const answers = await Promise.all(ids.map((one) => show(one)));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  });

  test('a stored picture whose metadata cannot be taken off is said to be damaged', async () => {
    const jpeg = await plain(70, 50).jpeg().withExif(exif).toBuffer();
    const { id } = await storedBefore(jpeg.subarray(0, jpeg.indexOf(Buffer.from('ffc0', 'hex')) + 3));
    const answer = await show(id);
    expectProblem(answer, 503, 'storage-failed');
    expect(answer.body.detail).toContain('damaged');
  });

  test('refuses a body that is not one file in its field', async () => {
    const png = await plain(9, 9).png().toBuffer();
    expectProblem(await send(form(png, 'picture')), 422, 'invalid', '/file');
    expectProblem(await send(form('')), 422, 'invalid', '/file');
    expectProblem(await send(new FormData()), 422, 'invalid', '/file');
    const two = form(png);
    two.append('file', new Blob([new Uint8Array(png)]), 'b.png');
    expectProblem(await send(two), 422, 'invalid', '/file');
    expectProblem(await send({ file: 'x' }), 415, 'unsupported-media-type');
  });

  test('refuses a broken multipart body, and a file over 10 MB', async () => {
    const { token } = await shop().customer();
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const broken = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc';
    const answer = await shop().call('POST', '/api/media', { token, headers, body: broken });
    expectProblem(answer, 400, 'malformed');
    expectProblem(await send(form(Buffer.alloc(10 * 1024 * 1024 + 1)), token), 413, 'too-large');
  });

  test('an unknown picture is 404, and an id or variant that is none 422', async () => {
    expectProblem(await show(nobody), 404, 'media-unknown');
    expectProblem(await show(nobody, 'thumb'), 404, 'media-unknown');
    expectProblem(await show('1'), 422, 'invalid', '/id');
    expectProblem(await show(`${nobody}.original`), 422, 'invalid', '/id');
    for (const trick of ['..%2f..%2fetc%2fpasswd', `${nobody}%00`]) {
      expectProblem(await show(trick), 400, 'malformed');
    }
    expectProblem(await show(nobody, 'huge'), 422, 'invalid', '/variant');
  });

  test('an id in capitals names the same picture', async () => {
    expect((await show(seedPictureIds[0]!.toUpperCase())).status).toBe(200);
  });

  test('a new shop has twelve different pictures', async () => {
    const etags = await Promise.all(
      seedPictureIds.map(async (id) => {
        const [original, thumb] = await Promise.all([show(id), show(id, 'thumb')]);
        expect([original.status, thumb.status]).toEqual([200, 200]);
        return original.headers.get('etag');
      }),
    );
    expect(new Set(etags).size).toBe(12);
  });
});
