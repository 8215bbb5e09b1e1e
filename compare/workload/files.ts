// The files that requests of a workload upload: `picture` is drawn here, the same bytes each time; others are read.
import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import type { Workload } from './read.ts';

const types: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.gif': 'image/gif',
};

export async function filesOf(
  workload: Workload,
): Promise<Record<string, { type: string; bytes: Uint8Array }>> {
  const files: Record<string, { type: string; bytes: Uint8Array }> = {};
  for (const { upload } of Object.values(workload.kinds)) {
    if (upload === undefined || files[upload]) continue;
    files[upload] =
      upload === 'picture'
        ? { type: 'image/jpeg', bytes: await draw() }
        : {
            type: types[extname(upload).toLowerCase()] ?? 'application/octet-stream',
            bytes: readFileSync(resolve(workload.folder, upload)),
          };
  }
  return files;
}

/** 800 x 600, some 40 kB: what a phone sends is larger, and would measure libvips alone. */
async function draw(): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="600">
    <defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="#246"/><stop offset="1" stop-color="#fc9"/></linearGradient>
    <filter id="grain"><feTurbulence baseFrequency="0.4" numOctaves="2" seed="7"/></filter></defs>
    <rect width="800" height="600" fill="url(#sky)"/><rect width="800" height="600" filter="url(#grain)" opacity=".25"/></svg>`;
  return sharp(Buffer.from(svg)).jpeg({ quality: 80 }).toBuffer();
}
