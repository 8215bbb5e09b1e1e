// Metadata are off and pixels as they were, in every format; what has none stays the same bytes.
import sharp, { type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { decode } from './decode.ts';
import { isTurned } from './turned.ts';
import { withoutMetadata } from './without-metadata.ts';

const exif = { IFD0: { Artist: 'SecretArtist', Copyright: 'x' }, IFD3: { GPSLatitude: '47/1 29/1 0/1' } };
const xmp =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="SecretXmp"/></rdf:RDF></x:xmpmeta>';
const base = () => sharp({ create: { width: 64, height: 48, channels: 3, background: '#2a7' } });
const formats: readonly [string, (image: Sharp) => Sharp][] = [
  ['jpeg', (image) => image.jpeg()],
  ['jpeg', (image) => image.jpeg({ progressive: true })],
  ['png', (image) => image.png()],
  ['webp', (image) => image.webp()],
  ['webp', (image) => image.webp({ lossless: true })],
  ['avif', (image) => image.avif({ effort: 0 })],
];

test.each(formats)('%s loses EXIF, GPS and XMP and no pixel, and keeps its profile', async (format, as) => {
  const plain = await as(base().withIccProfile('p3')).toBuffer();
  const bytes = await as(base().withIccProfile('p3').withExif(exif).withXmp(xmp)).toBuffer();
  expect((await sharp(bytes).metadata()).exif).toBeDefined();
  const clean = withoutMetadata(bytes, `image/${format}`);
  const { exif: left, xmp: also, icc } = await sharp(clean).metadata();
  expect([left, also]).toEqual([undefined, undefined]);
  expect(icc).toBeDefined();
  for (const secret of ['SecretArtist', 'SecretXmp']) expect(clean.includes(secret)).toBe(false);
  const pixels = (one: Buffer) => sharp(one).raw().toBuffer();
  expect((await pixels(clean)).equals(await pixels(bytes))).toBe(true);
  expect(withoutMetadata(plain, `image/${format}`)).toBe(plain);
});

test('GIF loses comments and XMP and keeps its animation', async () => {
  const frames = ['#f00', '#0f0', '#00f'].map((background) =>
    sharp({ create: { width: 8, height: 8, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  const gif = await sharp(await Promise.all(frames), { join: { animated: true } })
    .gif({ loop: 3 })
    .toBuffer();
  expect(withoutMetadata(gif, 'image/gif')).toBe(gif);
  const at = 13 + 3 * 2 ** ((gif[10]! & 7) + 1) * (gif[10]! >> 7);
  const block = (label: number, name: string) =>
    Buffer.concat([Buffer.from([0x21, label, name.length]), Buffer.from(name), Buffer.from([0])]);
  const said = Buffer.concat([
    gif.subarray(0, at),
    block(0xfe, 'SecretComment'),
    block(0xff, 'XMP DataXMP'),
    gif.subarray(at),
    Buffer.from('SecretBehind'),
  ]);
  const clean = withoutMetadata(said, 'image/gif');
  expect(clean.equals(gif)).toBe(true);
  expect(await sharp(clean, { animated: true }).metadata()).toMatchObject({ pages: 3, loop: 3 });
});

test('what stands behind the end, in comments and in other segments goes too', async () => {
  const jpeg = await base().jpeg().toBuffer();
  const segment = (marker: number, text: string) =>
    Buffer.concat([Buffer.from([0xff, marker, 0, text.length + 2]), Buffer.from(text)]);
  const said = Buffer.concat([
    jpeg.subarray(0, 2),
    segment(0xed, 'Photoshop 3.0\0SecretIptc'),
    segment(0xfe, 'SecretComment'),
    segment(0xe2, 'MPF\0Secret'),
    jpeg.subarray(2),
    jpeg,
    Buffer.from('SecretFilm'),
  ]);
  expect(withoutMetadata(said, 'image/jpeg').equals(jpeg)).toBe(true);
  const png = await base().png().toBuffer();
  expect(withoutMetadata(Buffer.concat([png, Buffer.from('Secret')]), 'image/png').equals(png)).toBe(true);
});

test('stray bytes between the segments of a JPEG are left out, as decoders do', async () => {
  const jpeg = await base().jpeg().toBuffer();
  const said = await base().jpeg().withExif(exif).toBuffer();
  const second = 4 + said.readUInt16BE(4);
  for (const stray of ['00', '41', 'ff00', '00ffff', 'ff01', 'ffd0']) {
    const bytes = Buffer.concat([said.subarray(0, second), Buffer.from(stray, 'hex'), said.subarray(second)]);
    const clean = withoutMetadata(bytes, 'image/jpeg');
    expect(clean.includes('SecretArtist')).toBe(false);
    expect((await sharp(clean).raw().toBuffer()).equals(await sharp(jpeg).raw().toBuffer())).toBe(true);
    expect((await decode(bytes)).original.equals(clean)).toBe(true);
  }
});

test('an AVIF that claims more metadata than it has bytes is refused soon', async () => {
  const bytes = await base().avif({ effort: 0 }).withExif(exif).toBuffer();
  const iloc = bytes.indexOf('iloc') + 4;
  // No offsets and no lengths: each item then claims 65,535 extents of no bytes.
  bytes[iloc + 4] = 0;
  bytes.fill(0xff, iloc + 6, iloc + 40);
  expect(() => withoutMetadata(bytes, 'image/avif')).toThrow('extents without lengths');
});

test.each(formats)('that a %s is to be turned is told from its bytes', async (_format, as) => {
  expect(isTurned(await as(base().withMetadata({ orientation: 6 })).toBuffer())).toBe(true);
  for (const plain of [base(), base().withMetadata({ orientation: 1 }), base().withExif(exif)])
    expect(isTurned(await as(plain).toBuffer())).toBe(false);
});

test.each(['jpeg', 'png', 'webp'] as const)('a turned %s is shown as it was', async (format) => {
  const halves = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#f00' } })
    .composite([
      { input: { create: { width: 32, height: 32, channels: 3, background: '#00f' } }, left: 0, top: 0 },
    ])
    .toFormat(format)
    .withMetadata({ orientation: 6 })
    .toBuffer();
  const image = await decode(halves);
  expect(image).toMatchObject({ width: 32, height: 64 });
  const metadata = await sharp(image.original).metadata();
  expect([metadata.exif, metadata.orientation, metadata.width]).toEqual([undefined, undefined, 32]);
  const seen = (bytes: Buffer) => sharp(bytes).autoOrient().resize(1, 2).raw().toBuffer();
  const [before, after] = [await seen(halves), await seen(image.original)];
  for (const [i, value] of before.entries()) expect(Math.abs(value - after[i]!)).toBeLessThan(12);
});
