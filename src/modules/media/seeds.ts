// The pictures that a new shop begins with: twelve drawn things, each on a ground of its own colour.
// Drawn again wherever a row or its bytes are missing, so a shop on a new storage has them too.
import { seedPictureIds } from './contract.ts';
import { decode, decoder } from './decoding/decode.ts';
import type { MediaRepository } from './repository.ts';
import { keyOf, type MediaService } from './service.ts';
import type { Storage } from './storage.ts';

export interface PictureSeedParts {
  readonly service: MediaService;
  readonly repository: MediaRepository;
  readonly storage: Storage;
}

export async function seedPictures({ service, repository, storage }: PictureSeedParts): Promise<void> {
  const known = await repository.known(seedPictureIds);
  await Promise.all(
    seedPictureIds.map(async (id, index) => {
      const stored = await Promise.all([storage.has(keyOf(id, 'original')), storage.has(keyOf(id, 'thumb'))]);
      if (known.has(id) && stored.every(Boolean)) return;
      // Ours, and at most once a shop: no process of its own, no queue, no quota.
      await service.keep(id, null, await decode(await draw(index)), false);
    }),
  );
}

/** 640 pixels square, about 5 kB; all twelve take less than half a second on two cores. */
async function draw(index: number): Promise<Buffer> {
  const sharp = await decoder();
  const { hue, shape } = things[index % things.length]!;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="640" viewBox="0 0 100 100">
    <defs><radialGradient id="ground" cx="50%" cy="40%" r="75%">
      <stop offset="0" stop-color="hsl(${hue},70%,95%)"/><stop offset="1" stop-color="hsl(${hue},55%,80%)"/>
    </radialGradient></defs>
    <rect width="100" height="100" fill="url(#ground)"/>
    <ellipse cx="50" cy="82" rx="29" ry="4" fill="hsl(${hue},35%,60%)" opacity=".35"/>
    <g fill="hsl(${hue},55%,45%)" stroke="none">${shape(light(hue), dark(hue))}</g></svg>`;
  return sharp(Buffer.from(svg)).webp({ quality: 82, effort: 2 }).toBuffer();
}

const light = (hue: number) => `fill="hsl(${hue},65%,68%)"`;
const dark = (hue: number) => `fill="hsl(${hue},50%,27%)"`;

interface Thing {
  readonly hue: number;
  /** What is drawn in a square of 100, standing at 82; `a` is a lighter and `b` a darker fill. */
  readonly shape: (a: string, b: string) => string;
}

const things: readonly Thing[] = [
  // mug
  {
    hue: 14,
    shape: (a, b) => `<path d="M66 42h6a11 11 0 0 1 0 24h-7v-6h6a5 5 0 0 0 0-12h-5z" ${b}/>
      <path d="M26 34h42v38a10 10 0 0 1-10 10H36a10 10 0 0 1-10-10z"/><ellipse cx="47" cy="34" rx="21" ry="5" ${a}/>`,
  },
  // lamp
  {
    hue: 45,
    shape: (
      a,
      b,
    ) => `<path d="M48 46h4v32h-4z" ${b}/><rect x="34" y="77" width="32" height="5" rx="2.5" ${b}/>
      <path d="M38 18h24l12 30H26z"/><path d="M38 18h8l-6 30H26z" ${a}/>`,
  },
  // plant
  {
    hue: 140,
    shape: (
      a,
      b,
    ) => `<path d="M50 60C46 42 32 34 22 34c2 16 12 26 28 26z"/><path d="M50 60c2-22 12-34 28-36 0 20-10 34-28 36z" ${a}/>
      <path d="M48 60C42 44 44 26 50 16c8 12 8 30 2 44z"/><path d="M34 58h32l-4 24H38z" ${b}/>`,
  },
  // book
  {
    hue: 215,
    shape: (
      a,
      b,
    ) => `<rect x="28" y="22" width="46" height="60" rx="3" ${b}/><rect x="31" y="74" width="41" height="5" fill="#fff"/>
      <rect x="28" y="20" width="44" height="54" rx="3"/><rect x="36" y="32" width="28" height="4" rx="2" ${a}/><rect x="36" y="41" width="18" height="4" rx="2" ${a}/>`,
  },
  // bag
  {
    hue: 330,
    shape: (a, b) => `<path d="M36 40v-6a14 14 0 0 1 28 0v6h-5v-6a9 9 0 0 0-18 0v6z" ${b}/>
      <path d="M26 38h48l5 44H21z"/><path d="M26 38h48l1 9H25z" ${a}/>`,
  },
  // bottle
  {
    hue: 190,
    shape: (a, b) => `<rect x="44" y="14" width="12" height="8" rx="2" ${b}/>
      <path d="M45 22h10v10c0 6 9 8 9 18v26a6 6 0 0 1-6 6H42a6 6 0 0 1-6-6V50c0-10 9-12 9-18z"/><rect x="36" y="54" width="28" height="16" ${a}/>`,
  },
  // clock
  {
    hue: 265,
    shape: (a, b) => `<path d="M30 74l-6 8h6l7-6zM70 74l6 8h-6l-7-6z" ${b}/><circle cx="50" cy="50" r="31"/>
      <circle cx="50" cy="50" r="25" fill="#fff"/><path d="M48.500 32h3v17l12 8-2 2.500-13-9z" ${b}/><circle cx="50" cy="50" r="3" ${a}/>`,
  },
  // chair
  {
    hue: 28,
    shape: (
      a,
      b,
    ) => `<path d="M31 58h5v24h-5zM64 58h5v24h-5z" ${b}/><rect x="30" y="18" width="40" height="34" rx="8"/>
      <rect x="36" y="24" width="28" height="22" rx="5" ${a}/><rect x="26" y="52" width="48" height="10" rx="5"/>`,
  },
  // headphones
  {
    hue: 235,
    shape: (a, b) => `<path d="M22 60V50a28 28 0 0 1 56 0v10h-6V50a22 22 0 0 0-44 0v10z" ${b}/>
      <rect x="19" y="54" width="16" height="28" rx="7"/><rect x="65" y="54" width="16" height="28" rx="7"/><rect x="30" y="56" width="6" height="24" rx="3" ${a}/><rect x="64" y="56" width="6" height="24" rx="3" ${a}/>`,
  },
  // ball
  {
    hue: 350,
    shape: (
      a,
      b,
    ) => `<circle cx="50" cy="51" r="31"/><path d="M50 20a31 31 0 0 1 0 62c10-18 10-44 0-62z" ${a}/>
      <path d="M20 44c18 8 42 8 60 0v6c-18 8-42 8-60 0z" ${b}/>`,
  },
  // shirt
  {
    hue: 170,
    shape: (a, b) => `<path d="M38 22l-20 12 7 16 8-4v36h34V46l8 4 7-16-20-12a12 9 0 0 1-24 0z"/>
      <path d="M38 22a12 9 0 0 0 24 0l4 2.400a16 13 0 0 1-32 0z" ${b}/><rect x="55" y="42" width="8" height="9" rx="1.500" ${a}/>`,
  },
  // candle
  {
    hue: 90,
    shape: (a, b) => `<path d="M50 14c8 9 9 14 5 20a6 6 0 0 1-10 0c-4-6-2-11 5-20z" fill="#f6b73c"/>
      <path d="M49 34h2v9h-2z" ${b}/><rect x="34" y="42" width="32" height="40" rx="3"/><ellipse cx="50" cy="43" rx="16" ry="4" ${a}/>`,
  },
];
