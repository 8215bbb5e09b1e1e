// The drawing's lines: whichever modules are extracted, none passes behind a box that is not its end, what is written along them
// stands on no box and on no other, and a module of events alone has their rate.
import { describe, expect, test } from 'vitest';
import { eventRates } from './page/kit/words.ts';
import { flowsOf } from './page/overview/arrows.ts';
import { BOX, type Layout, layoutOf, type Place } from './page/overview/layout.ts';
import { isClear } from './page/overview/route.ts';
import { layerOf } from './picture-of.ts';
import type { Picture } from './shared/picture-shape.ts';

const uses: Readonly<Record<string, readonly string[]>> = {
  catalog: [],
  depots: ['catalog', 'media', 'notices', 'payments', 'users'],
  media: [],
  notices: ['users'],
  payments: [],
  users: [],
};
const names = Object.keys(uses);
const called = { perSecond: 1, p50: 2, p99: 3, errors: 0 };
const heard = { perSecond: 2, events: 1, seconds: 0.5 };
/** Each module to the one after the next, and back: also within a layer. */
const heardBy = names.flatMap((name, at) => [
  [name, names[(at + 2) % names.length]!],
  [names[(at + 1) % names.length]!, name],
]);

/** @param far bit by bit which modules are extracted. */
function pictureOf(far: number): Picture {
  const modules = Object.fromEntries(
    names.map((name, at) => [
      name,
      {
        placement: (far >> at) & 1 ? 'service' : 'in-process',
        uses: uses[name]!,
        layer: layerOf(name, uses),
      },
    ]),
  );
  const placed = (name: string) => modules[name]!.placement;
  const refs = Object.fromEntries(
    names.flatMap((name) => uses[name]!.map((to) => [`${name}>${to}`, { [placed(to)!]: called }])),
  );
  const arrows = Object.fromEntries(heardBy.map(([from, to]) => [`${from}>${to}`, heard]));
  return { modules, refs, arrows } as unknown as Picture;
}

const all = Array.from({ length: 2 ** names.length }, (_, far) => far);
const boxesOf = ({ near, far }: Layout) => [...near.values(), ...far.values()];

describe.each([
  ['on a desk', false],
  ['on a phone', true],
] as const)('%s', (_, stacked) => {
  test('no line passes behind a box that is not its end', () => {
    let seen = 0;
    for (const far of all) {
      const picture = pictureOf(far);
      const layout = layoutOf(picture.modules, stacked);
      const { refs, events } = flowsOf(picture, layout);
      const placeOf = (name: string) =>
        (picture.modules[name]!.placement === 'service' ? layout.far : layout.near).get(name)!;
      for (const { key, points } of [...refs, ...events]) {
        const ends = key.split(' ')[0]!.split('>').map(placeOf);
        const others = boxesOf(layout).filter((box) => !ends.includes(box));
        const behind = points.slice(1).filter((to, at) => !isClear(points[at]!, to, others, 1));
        expect(behind, `${key} where ${far.toString(2)} are extracted`).toEqual([]);
        seen += 1;
      }
    }
    expect(seen).toBeGreaterThan(1_000);
  });
});

test('labels stand on no box and not on each other, whichever are extracted', () => {
  for (const far of all) {
    const picture = pictureOf(far);
    const layout = layoutOf(picture.modules);
    const { refs, events } = flowsOf(picture, layout);
    const labels = [
      ...refs.map(({ at }) => ({ at, width: 80, height: 30 })),
      ...events.map(({ at }) => ({ at, width: 56, height: 14 })),
    ];
    const onBox = labels.filter(({ at, width, height }) =>
      boxesOf(layout).some(({ x, y }) =>
        meet(at, width, height, { x: x + BOX.width / 2, y: y + BOX.height / 2 }, BOX.width, BOX.height),
      ),
    );
    expect(onBox, far.toString(2)).toEqual([]);
    const onAnother = labels.filter((one, at) =>
      labels
        .slice(0, at)
        .some((other) => meet(one.at, one.width, one.height, other.at, other.width, other.height)),
    );
    expect(onAnother, far.toString(2)).toEqual([]);
  }
});

function meet(a: Place, width: number, height: number, b: Place, wide: number, tall: number): boolean {
  return Math.abs(a.x - b.x) < (width + wide) / 2 && Math.abs(a.y - b.y) < (height + tall) / 2;
}

test('lines stay where they are when a module that is not their end moves', () => {
  const [before, after] = [pictureOf(0), pictureOf(1)].map((picture) =>
    flowsOf(picture, layoutOf(picture.modules)),
  );
  const path = (of: typeof before) => of!.refs.find(({ key }) => key.startsWith('notices>users'))!.path;
  expect(path(after)).toBe(path(before));
});

test('what a module does by events is what it listens to together, and what it publishes once', () => {
  const arrows = {
    'depots>payments': { perSecond: 2, events: 0 },
    'users>payments': { perSecond: 0.5, events: 0 },
    'payments>depots': { perSecond: 1, events: 0 },
    'payments>notices': { perSecond: 1, events: 0 },
  };
  expect(eventRates({ arrows }, 'payments')).toEqual({ reads: 2.5, publishes: 1 });
  expect(eventRates({ arrows }, 'media')).toBeUndefined();
});
