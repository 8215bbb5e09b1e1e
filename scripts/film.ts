// Pictures of a page, one after the other, as one SVG that shows them again and again: of each only the part that differs from
// the one before. Whoever wants no motion, or has no animations, sees the last one.
import sharp from 'sharp';
import { escaped } from './terminal-picture.ts';

export interface Frame {
  readonly png: Buffer;
  /** So long it stands. */
  readonly seconds: number;
}

interface Words {
  readonly title: string;
  /** For who does not see it. */
  readonly about: string;
}

interface Raw {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** @param frames all of one size. */
export async function drawFilm(frames: readonly Frame[], { title, about }: Words): Promise<string> {
  const raws = await Promise.all(frames.map(({ png }) => rawOf(png)));
  const [{ width, height }] = raws as [Raw];
  const total = frames.reduce((sum, { seconds }) => sum + seconds, 0);
  const [styles, images]: [string[], string[]] = [[], []];
  let from = 0;
  for (const [at, raw] of raws.entries()) {
    const part = at === 0 ? { left: 0, top: 0, width, height } : partOf(raws[at - 1]!, raw);
    if (part) {
      const percent = ((from / total) * 100).toFixed(2);
      styles.push(
        `@keyframes f${at}{0%{visibility:hidden}${percent}%,100%{visibility:visible}}.f${at}{animation-name:f${at}}`,
      );
      images.push(await imageOf(raw, part, at));
    }
    from += frames[at]!.seconds;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="t d">`,
    `<title id="t">${escaped(title)}</title>`,
    `<desc id="d">${escaped(about)}</desc>`,
    `<style>@media (prefers-reduced-motion:no-preference){image{animation:${total}s step-end infinite}${styles.join('')}}</style>`,
    ...images,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" fill="none" stroke="#cfcbc0"/>`,
    '</svg>',
    '',
  ].join('\n');
}

async function rawOf(png: Buffer): Promise<Raw> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** The smallest that has all that differs; undefined: nothing does. */
function partOf(before: Raw, { data, width, height }: Raw): Part | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const at = (y * width + x) * 3;
      if (data.compare(before.data, at, at + 3, at, at + 3) === 0) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

async function imageOf({ data, width, height }: Raw, part: Part, at: number): Promise<string> {
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .extract(part)
    .png({ palette: true, colours: 48, dither: 0, effort: 10 })
    .toBuffer();
  const { left, top } = part;
  return `<image class="f${at}" x="${left}" y="${top}" width="${part.width}" height="${part.height}" href="data:image/png;base64,${png.toString('base64')}"/>`;
}
