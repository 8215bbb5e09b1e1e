// Where each module stands in the drawing: by layers of who calls whom, in a fixed order, so that nothing moves with the data
// but what is moved. Pure.
import type { Picture } from '../../shared/picture-shape.ts';

export const BOX = { width: 150, height: 74 } as const;
const GAP = 34;
const LAYER = 190;
/** On a phone: so many side by side, and less between what stands under each other. */
const PHONE = { beside: 2, layer: 128 } as const;
const TOP = 64;
const EDGE = 26;
/** Between the two sides. */
const MIDDLE = 40;

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Of one side. */
  readonly half: number;
  readonly tall: number;
  /** The upper left corner of the side of services. */
  readonly services: Place;
  /** The upper left corner of each module's box, in the process and as a service. */
  readonly near: ReadonlyMap<string, Place>;
  readonly far: ReadonlyMap<string, Place>;
}

let last: { readonly of: string; readonly layout: Layout } | undefined;

/** Of the same modules it is the same object. @param stacked the sides one under the other. */
export function layoutOf(modules: Picture['modules'], stacked = false): Layout {
  const shape = Object.entries(modules).map(([name, { layer, uses }]) => [name, layer, uses]);
  const of = JSON.stringify([stacked, shape.sort()]);
  if (last?.of !== of) last = { of, layout: laidOut(modules, stacked) };
  return last.layout;
}

function laidOut(modules: Picture['modules'], stacked: boolean): Layout {
  const known = new Map<number, string[]>();
  for (const name of Object.keys(modules).sort()) {
    const { layer } = modules[name]!;
    known.set(layer, [...(known.get(layer) ?? []), name]);
  }
  const layers = stacked ? narrowed(known, PHONE.beside) : known;
  const between = stacked ? PHONE.layer : LAYER;
  // From the bottom up: whoever calls stands over whom it calls.
  const order = [...layers.keys()].sort((a, b) => a - b);
  const widest = Math.max(stacked ? PHONE.beside : 3, ...[...layers.values()].map(({ length }) => length));
  const half = widest * BOX.width + (widest - 1) * GAP + 2 * EDGE;
  const tall = TOP + (order.length - 1) * between + BOX.height + 66;
  const services = stacked ? { x: 0, y: tall + EDGE } : { x: half + MIDDLE, y: 0 };
  const slots = new Map<string, number>();
  const near = new Map<string, Place>();
  const far = new Map<string, Place>();
  order.forEach((layer, row) => {
    const names = layers.get(layer)!;
    const isTop = row === order.length - 1;
    for (const [name, slot] of spread(
      names,
      widest,
      isTop ? () => undefined : (one) => over(modules[one]!.uses, slots),
    )) {
      slots.set(name, slot);
      const x = EDGE + slot * (BOX.width + GAP);
      const y = TOP + (order.length - 1 - row) * between;
      near.set(name, { x, y });
      far.set(name, { x: x + services.x, y: y + services.y });
    }
  });
  return {
    width: services.x + half,
    height: services.y + tall,
    half,
    tall,
    services,
    near,
    far,
  };
}

/** Layers of so many at most, in the same order. */
function narrowed(layers: ReadonlyMap<number, readonly string[]>, most: number): Map<number, string[]> {
  const rows = [...layers.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([, names]) =>
      Array.from({ length: Math.ceil(names.length / most) }, (_, at) =>
        names.slice(at * most, (at + 1) * most),
      ),
    );
  return new Map(rows.map((names, at) => [at, names]));
}

/** The middle of whom it calls. */
function over(uses: readonly string[], slots: ReadonlyMap<string, number>): number | undefined {
  const known = uses.flatMap((one) => slots.get(one) ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0) / known.length;
}

/** A layer's modules where they would be, as far as none stands on another; else side by side in the middle. */
function spread(
  names: readonly string[],
  widest: number,
  wished: (name: string) => number | undefined,
): [name: string, slot: number][] {
  const first = (widest - names.length) / 2;
  const wanted = names.map((name, at): [string, number] => [name, wished(name) ?? first + at]);
  const places = wanted.map(([, slot]) => slot).sort((a, b) => a - b);
  const fits = places.every((slot, at) => at === 0 || slot - places[at - 1]! >= 1);
  return fits ? wanted : names.map((name, at) => [name, first + at]);
}
