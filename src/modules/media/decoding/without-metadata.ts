// A picture without what is not the picture: EXIF and GPS, XMP, IPTC, comments, embedded previews, and whatever stands
// behind its end (a telephone's second picture, a film). Lossless: segments are left out, no pixel is touched; what
// has none comes back as the same bytes. Kept is what decoders need, by name, so that what is new does not pass.
// It trusts no length and no marker: bytes that were stored long ago come here without being decoded first. What does
// not add up throws, after a time that grows with the bytes and not with what they claim.

export function withoutMetadata(bytes: Buffer, contentType: string): Buffer {
  const clean = kinds[contentType as keyof typeof kinds](bytes);
  return clean.equals(bytes) ? bytes : clean;
}

const kinds = {
  'image/jpeg': jpeg,
  'image/png': png,
  'image/webp': webp,
  'image/gif': gif,
  'image/avif': avif,
};

/** Kept of the APPn segments: JFIF (0), the ICC profile (2), Adobe's colour transform (14). */
const kept: Readonly<Record<number, string>> = { 224: 'JFIF\0', 226: 'ICC_PROFILE\0', 238: 'Adobe' };

function jpeg(bytes: Buffer): Buffer {
  const parts = [bytes.subarray(0, 2)];
  for (let at = 2; at < bytes.length; ) {
    // As libjpeg does: what stands between two segments is skipped, and so is a marker that has no segment here.
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 === bytes.length) break;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at += 1;
    else if (marker <= 1 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else if (marker === 0xd9) {
      parts.push(bytes.subarray(at, at + 2));
      break;
    } else {
      const end = at + 2 + Math.max(2, bytes.readUInt16BE(at + 2));
      const name = kept[marker];
      const isMetadata = (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
      if (!isMetadata || (name && bytes.toString('latin1', at + 4, at + 4 + name.length) === name)) {
        parts.push(bytes.subarray(at, end));
      }
      at = end;
      if (marker === 0xda) {
        at = endOfScan(bytes, end);
        parts.push(bytes.subarray(end, at));
      }
    }
  }
  return Buffer.concat(parts);
}

/** Where the entropy-coded rows end: at a marker that neither is a stuffed byte nor restarts. */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1];
    if (next !== undefined && next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  return bytes.length;
}

/** What changes how the pixels look, and animations; text, time and EXIF do not. */
const PNG_KEPT =
  /^(IHDR|PLTE|IDAT|IEND|tRNS|gAMA|cHRM|sRGB|iCCP|cICP|mDCV|cLLI|sBIT|pHYs|bKGD|hIST|sPLT|acTL|fcTL|fdAT)$/;

function png(bytes: Buffer): Buffer {
  const parts = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const end = at + 12 + bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (PNG_KEPT.test(type)) parts.push(bytes.subarray(at, end));
    at = type === 'IEND' ? bytes.length : end;
  }
  return Buffer.concat(parts);
}

function webp(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  const whole = Math.min(bytes.length, 8 + bytes.readUInt32LE(4));
  for (let at = 12; at + 8 <= whole; ) {
    const end = at + 8 + 2 * Math.ceil(bytes.readUInt32LE(at + 4) / 2);
    const type = bytes.toString('latin1', at, at + 4);
    if (/^(VP8 |VP8L|VP8X|ICCP|ALPH|ANIM|ANMF)$/.test(type)) {
      const chunk = Buffer.from(bytes.subarray(at, end));
      // Its flags say which chunks follow: no EXIF (8), no XMP (4).
      if (type === 'VP8X') chunk[8] = chunk[8]! & ~0x0c;
      parts.push(chunk);
    }
    at = end;
  }
  const head = Buffer.from(bytes.subarray(0, 12));
  head.writeUInt32LE(4 + parts.reduce((sum, part) => sum + part.length, 0), 4);
  return Buffer.concat([head, ...parts]);
}

/** Kept of the application extensions: how often an animation repeats, and the ICC profile. */
const gifKept = ['NETSCAPE2.0', 'ANIMEXTS1.0', 'ICCRGBG1012'];

function gif(bytes: Buffer): Buffer {
  const table = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  const blocksEnd = (from: number) => {
    let at = from;
    while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at]!;
    return at + 1;
  };
  const first = 13 + table(bytes[10]!);
  const parts = [bytes.subarray(0, first)];
  for (let at = first; at < bytes.length; ) {
    const kind = bytes[at];
    let end = at + 1;
    let keep = true;
    if (kind === 0x2c) end = blocksEnd(at + 11 + table(bytes[at + 9]!));
    else if (kind === 0x21) {
      const label = bytes[at + 1];
      end = blocksEnd(at + 2);
      // Only what steers the drawing (0xf9) and the extensions named above; a text is drawn by nobody.
      keep =
        label === 0xf9 || (label === 0xff && gifKept.includes(bytes.toString('latin1', at + 3, at + 14)));
    } else if (kind !== 0x3b) throw new Error('no block');
    if (keep) parts.push(bytes.subarray(at, end));
    at = kind === 0x3b ? bytes.length : end;
  }
  return Buffer.concat(parts);
}

interface Item {
  readonly id: number;
  readonly type: string;
}

/**
 * Everything in AVIF is found by its offset, so nothing can be left out without writing the file anew: what EXIF and
 * XMP say is overwritten with zeros where it stands, and their entries are renamed to what no reader looks for.
 */
function avif(bytes: Buffer): Buffer {
  const clean = Buffer.from(bytes);
  const meta = boxes(clean, 0, clean.length).find(({ type }) => type === 'meta');
  if (!meta) return bytes;
  const inside = boxes(clean, meta.from + 4, meta.to);
  const info = inside.find(({ type }) => type === 'iinf');
  const places = inside.find(({ type }) => type === 'iloc');
  if (!info || !places) return bytes;
  const data = inside.find(({ type }) => type === 'idat');
  const hidden = new Set<number>();
  const count = clean[info.from] === 0 ? 2 : 4;
  for (const { from, type } of boxes(clean, info.from + 4 + count, info.to)) {
    if (type !== 'infe' || clean[from]! < 2) continue;
    const wide = clean[from] === 3;
    const at = from + (wide ? 10 : 8);
    const item: Item = {
      id: wide ? clean.readUInt32BE(from + 4) : clean.readUInt16BE(from + 4),
      type: clean.toString('latin1', at, at + 4),
    };
    if (item.type !== 'Exif' && item.type !== 'mime' && item.type !== 'uri ') continue;
    hidden.add(item.id);
    clean.write('skip', at, 'latin1');
  }
  if (hidden.size > 0) blank(clean, places.from, data?.from ?? 0, hidden);
  return clean;
}

interface Box {
  readonly type: string;
  /** Behind size and type. */
  readonly from: number;
  readonly to: number;
}

function boxes(bytes: Buffer, from: number, to: number): Box[] {
  const found: Box[] = [];
  for (let at = from; at + 8 <= to; ) {
    const short = bytes.readUInt32BE(at);
    const size = short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? to - at : short;
    if (size < 8) throw new Error('no box');
    found.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      from: at + (short === 1 ? 16 : 8),
      to: at + size,
    });
    at += size;
  }
  return found;
}

/** ISO/IEC 14496-12, 8.11.3: where the bytes of each item are. */
function blank(bytes: Buffer, iloc: number, idat: number, items: ReadonlySet<number>): void {
  const version = bytes[iloc]!;
  let at = iloc + 4;
  const number = (size: number) => {
    const value =
      size === 0 ? 0 : size === 8 ? Number(bytes.readBigUInt64BE(at)) : bytes.readUIntBE(at, size);
    at += size;
    return value;
  };
  const sizes = number(2);
  const [offsetSize, lengthSize, baseSize, indexSize] = [12, 8, 4, 0].map((shift) => (sizes >> shift) & 15);
  const wide = version === 2 ? 4 : 2;
  let left = bytes.length;
  for (let count = number(wide); count > 0; count -= 1) {
    const id = number(wide);
    const inIdat = version > 0 && (number(2) & 15) === 1;
    at += 2;
    const base = number(baseSize!);
    const extents = number(2);
    if (extents > 1 && lengthSize === 0) throw new Error('extents without lengths');
    for (let extent = 0; extent < extents; extent += 1) {
      if (version > 0) number(indexSize!);
      const start = base + number(offsetSize!) + (inIdat ? idat : 0);
      const length = number(lengthSize!);
      if (!items.has(id)) continue;
      const end = length === 0 ? bytes.length : start + length;
      left -= end - start;
      if (left < 0) throw new Error('more metadata than bytes');
      bytes.fill(0, start, end);
    }
  }
}
