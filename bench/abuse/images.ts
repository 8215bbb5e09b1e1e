// Pictures that are small to send and large to decode: progressive JPEGs of 9,999 pixels a side, 16 at once, at a media
// service. What counts is its memory: the most it took, and how much is left afterwards beside what it had before.
import { readFileSync } from 'node:fs';
import { FormData, fetch } from 'undici';
import { countsOf, type Figure } from './figure.ts';
import type { Product } from './stage.ts';

const SIDE = 9_999;
const AT_ONCE = 16;
/** How long memory may take to come back, at most. */
const REST_MS = 30_000;

export async function abuseByImages(product: Product, say: (line: string) => void): Promise<Figure[]> {
  const pid = await product.extract('media');
  const token = await product.customer();
  const picture = await progressive();
  // One small picture first: the decoder is loaded, as in any service that has worked.
  await upload(product, token, await plain());
  const before = residentOf(pid);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, residentOf(pid));
  }, 20);
  const statuses = await Promise.all(Array.from({ length: AT_ONCE }, () => upload(product, token, picture)));
  clearInterval(watch);
  const least = await restOf(pid, before * 1.5);
  say(`${AT_ONCE} pictures of ${(picture.length / 1024).toFixed(0)} kB: ${countsOf(statuses)}`);
  return [
    { what: 'memory of media before', value: before, unit: 'MB' },
    { what: `memory at the most, ${AT_ONCE} progressive JPEGs at once`, value: peak, unit: 'MB' },
    {
      what: 'memory afterwards beside before',
      value: least / before,
      unit: 'x',
      goal: { at: 'most', value: 1.5 },
    },
  ];
}

async function progressive(): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  const background = { r: 200, g: 120, b: 40 };
  return sharp({ create: { width: SIDE, height: SIDE, channels: 3, background } })
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
