// Pictures that are small to send and large to decode, 16 at once, at a media service: progressive JPEGs of 9,999 pixels
// a side, which are more than anybody may send, and of 24 megapixels, the dearest that is right and has to be decoded.
// What counts is its memory: the most it took, and how much is left afterwards beside what it had before.
import { readFileSync } from 'node:fs';
import { FormData, fetch } from 'undici';
import { countsOf, type Figure } from './figure.ts';
import type { Product } from './stage.ts';

const AT_ONCE = 16;
/** How long memory may take to come back, at most. */
const REST_MS = 30_000;

export async function abuseByImages(product: Product, say: (line: string) => void): Promise<Figure[]> {
  const pid = await product.extract('media');
  // An account each: what one client may have under way is less than what is asked here.
  const tokens: string[] = [];
  for (let n = 0; n < AT_ONCE; n += 1) tokens.push(await product.customer());
  // One small picture first: the decoder is loaded, as in any service that has worked.
  await upload(product, tokens[0]!, await plain());
  const before = residentOf(pid);
  const found: Figure[] = [{ what: 'memory of media before', value: before, unit: 'MB' }];
  for (const { what, picture } of [
    { what: 'progressive JPEGs of 9,999 pixels a side', picture: await flat(9_999) },
    { what: 'progressive JPEGs of 24 megapixels, which are right', picture: await camera() },
  ]) {
    const { statuses, peak, least } = await decodeAll(product, pid, tokens, picture, before);
    const all = `${AT_ONCE} ${what}`;
    say(`${all}, ${(picture.length / 1024).toFixed(0)} kB each: ${countsOf(statuses)}`);
    const taken = statuses.filter((status) => status === 201).length;
    found.push(
      { what: `${all}: taken`, value: taken, unit: '' },
      { what: `${all}: memory at the most`, value: peak, unit: 'MB' },
      {
        what: `${all}: memory afterwards beside before`,
        value: least / before,
        unit: 'x',
        goal: { at: 'most', value: 1.5 },
      },
    );
  }
  return found;
}

async function decodeAll(
  product: Product,
  pid: number,
  tokens: readonly string[],
  picture: Buffer,
  before: number,
): Promise<{ statuses: number[]; peak: number; least: number }> {
  let peak = residentOf(pid);
  const watch = setInterval(() => {
    peak = Math.max(peak, residentOf(pid));
  }, 20);
  const statuses = await Promise.all(tokens.map((token) => upload(product, token, picture)));
  clearInterval(watch);
  return { statuses, peak, least: await restOf(pid, before * 1.5) };
}

async function flat(side: number): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  const background = { r: 200, g: 120, b: 40 };
  return sharp({ create: { width: side, height: side, channels: 3, background } })
    .jpeg({ progressive: true, quality: 50 })
    .toBuffer();
}

/** As a camera makes it: noise is dearer to decode than one colour. Some 3 MB, so that 16 of them fit the queue's bytes. */
async function camera(): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  const noise = { type: 'gaussian', mean: 128, sigma: 20 } as const;
  return sharp({ create: { width: 6_000, height: 4_000, channels: 3, background: 'grey', noise } })
    .jpeg({ progressive: true, quality: 50 })
    .toBuffer();
}

async function plain(): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp({ create: { width: 64, height: 64, channels: 3, background: 'white' } })
    .png()
    .toBuffer();
}

async function upload({ url }: Product, token: string, bytes: Buffer): Promise<number> {
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' }), 'p.jpg');
  try {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${url}/api/media`, { method: 'POST', headers, body: form });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}

/** The least memory within the time, or the first that is at most `enough`. */
async function restOf(pid: number, enough: number): Promise<number> {
  const deadline = performance.now() + REST_MS;
  let least = residentOf(pid);
  while (least > enough && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    least = Math.min(least, residentOf(pid));
  }
  return least;
}

/** Megabytes, with what its child processes hold. */
function residentOf(root: number): number {
  return treeOf(root).reduce((sum, pid) => sum + ownOf(pid), 0);
}

function ownOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function treeOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...(children === '' ? [] : children.split(' ').map(Number).flatMap(treeOf))];
  } catch {
    return [pid];
  }
}
