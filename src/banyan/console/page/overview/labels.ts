// Where what is written along lines stands: on no box, on no point of an arrow, and on no other label, as far as there is room.
// Pure; in a fixed order and with fixed sizes, so that labels stay where they are while numbers change.
import { BOX, type Layout, type Place } from './layout.ts';

interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Parts of a line's way, the best first. */
const SHARES = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82];
/** On the line; else beside it, in parts of its own width. */
const BESIDE = [0, 0.55, -0.55];

export class Labels {
  readonly #layout: Layout;
  readonly #taken: Area[];

  /** @param tips of arrows. */
  constructor(layout: Layout, tips: readonly Place[]) {
    this.#layout = layout;
    const boxes = [...layout.near.values(), ...layout.far.values()];
    this.#taken = [
      ...boxes.map(({ x, y }) => ({ left: x, top: y, right: x + BOX.width, bottom: y + BOX.height })),
      ...tips.map((tip) => around(tip, { width: 14, height: 14 })),
    ];
  }

  /** The middle of a label of this line. */
  place(line: readonly Place[], size: Size): Place {
    let [best, least]: [Place, number] = [along(line, 0.5), Number.POSITIVE_INFINITY];
    for (const beside of BESIDE)
      for (const share of SHARES) {
        if (least === 0) break;
        const { x, y } = along(line, share);
        const at = this.#within({ x: x + beside * size.width, y }, size);
        const area = around(at, size);
        const hidden = this.#taken.reduce((sum, one) => sum + common(area, one), 0);
        if (hidden < least) [best, least] = [at, hidden];
      }
    this.#taken.push(around(best, size));
    return best;
  }

  #within({ x, y }: Place, { width, height }: Size): Place {
    const inside = (at: number, size: number, most: number) =>
      Math.min(Math.max(at, size / 2 + 2), most - size / 2 - 2);
    return { x: inside(x, width, this.#layout.width), y: inside(y, height, this.#layout.height) };
  }
}

const around = ({ x, y }: Place, { width, height }: Size): Area => ({
  left: x - width / 2,
  top: y - height / 2,
  right: x + width / 2,
  bottom: y + height / 2,
});

/** How much of it both have. */
function common(a: Area, b: Area): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return width > 0 && height > 0 ? width * height : 0;
}

/** So far along a line of straight pieces. */
export function along(line: readonly Place[], share: number): Place {
  const pieces = line.slice(1).map((to, at) => ({ from: line[at]!, to }));
  const lengths = pieces.map(({ from, to }) => Math.hypot(to.x - from.x, to.y - from.y));
  let left = share * lengths.reduce((sum, one) => sum + one, 0);
  for (const [at, { from, to }] of pieces.entries()) {
    const length = lengths[at]!;
    if (left <= length && length > 0) return between(from, to, left / length);
    left -= length;
  }
  return line.at(-1)!;
}

export const between = (a: Place, b: Place, share: number): Place => ({
  x: a.x + (b.x - a.x) * share,
  y: a.y + (b.y - a.y) * share,
});
