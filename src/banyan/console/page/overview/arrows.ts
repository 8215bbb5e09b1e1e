// What runs between the boxes: calls as lines with their numbers, events as dashed arrows with their lag. None passes behind a box
// that is not its end. Pure.
import type { Numbers, Picture } from '../../shared/picture-shape.ts';
import { errors, ms, rate } from '../kit/words.ts';
import { between, Labels } from './labels.ts';
import { BOX, type Layout, type Place } from './layout.ts';
import { isClear, routeBetween } from './route.ts';

/** Both keep so far from boxes; calls and events by ways of their own. */
const KEEP = { calls: 9, events: 17 } as const;
const TAG = { width: 84, height: 32 } as const;
const LAG = { width: 60, height: 16 } as const;

interface Line {
  readonly key: string;
  readonly path: string;
  /** As straight pieces. */
  readonly points: readonly Place[];
}

export interface RefLine extends Line {
  /** The middle of its label. */
  readonly at: Place;
  /** Empty: nobody asked lately. */
  readonly lines: readonly string[];
  readonly bad: boolean;
}

export interface EventLine extends Line {
  readonly at: Place;
  readonly label: string | undefined;
}

export function flowsOf(picture: Picture, layout: Layout): { refs: RefLine[]; events: EventLine[] } {
  const refs = refsOf(picture, layout);
  const events = eventsOf(picture, layout);
  const labels = new Labels(
    layout,
    [...refs, ...events].map(({ points }) => points.at(-1)!),
  );
  return {
    refs: refs.map((one) => ({ ...one, at: labels.place(one.points, TAG) })),
    events: events.map((one) => ({ ...one, at: labels.place(one.points, LAG) })),
  };
}

/** Where a module serves most. */
function mainPlace({ modules }: Picture, layout: Layout, module: string): Place {
  return (modules[module]!.placement === 'service' ? layout.far : layout.near).get(module)!;
}

function refsOf(picture: Picture, layout: Layout): Omit<RefLine, 'at'>[] {
  return Object.entries(picture.refs).flatMap(([key, sides]) => {
    const [caller = '', module = ''] = key.split('>');
    if (caller === '' || !picture.modules[caller] || !picture.modules[module]) return [];
    const from = mainPlace(picture, layout, caller);
    const asked = (['in-process', 'service'] as const).filter((side) => sides[side] !== undefined);
    const shown = asked.length > 0 ? asked : [undefined];
    return shown.map((side) => {
      const to =
        side === undefined
          ? mainPlace(picture, layout, module)
          : (side === 'service' ? layout.far : layout.near).get(module)!;
      const points = routeBetween(layout, from, to, KEEP.calls);
      const numbers = side && sides[side];
      return {
        key: `${key} ${side ?? ''}`,
        path: pathOf(points),
        points,
        lines: numbers ? linesOf(numbers) : [],
        bad: (numbers?.errors ?? 0) > 0,
      };
    });
  });
}

function linesOf(numbers: Numbers): string[] {
  const times = numbers.p50 === undefined ? [] : [`${ms(numbers.p50)} · ${ms(numbers.p99)} ms`];
  const failed = numbers.errors > 0 ? ` · ${errors(numbers.errors)} failed` : '';
  return [`${rate(numbers.perSecond)}/s${failed}`, ...times];
}

function eventsOf(picture: Picture, layout: Layout): Omit<EventLine, 'at'>[] {
  return Object.entries(picture.arrows).flatMap(([key, { events, seconds }]) => {
    const [publisher = '', listener = ''] = key.split('>');
    if (publisher === listener || !picture.modules[publisher] || !picture.modules[listener]) return [];
    const label = events === 0 ? undefined : seconds === undefined ? `${events} behind` : `lag ${seconds} s`;
    const from = mainPlace(picture, layout, publisher);
    const to = mainPlace(picture, layout, listener);
    return [{ key, label, ...eventPath(layout, from, to) }];
  });
}

function eventPath(layout: Layout, from: Place, to: Place): Pick<Line, 'path' | 'points'> {
  if (from.y === to.y) return below(from, to);
  const points = routeBetween(layout, from, to, KEEP.events);
  const bent = points.length === 2 ? curve(points[0]!, points[1]!) : undefined;
  const boxes = [...layout.near.values(), ...layout.far.values()].filter((one) => one !== from && one !== to);
  const clear = bent?.points.every((one, at) => at === 0 || isClear(bent.points[at - 1]!, one, boxes, 4));
  return bent && clear ? bent : { path: pathOf(points), points };
}

/** Bent to the left of its way, so that both ways of a pair and the calls between are apart. */
function curve(from: Place, to: Place): Pick<Line, 'path' | 'points'> {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const bend = Math.min(60, 18 + length * 0.1);
  const control = {
    x: (from.x + to.x) / 2 + (dy / length) * bend,
    y: (from.y + to.y) / 2 - (dx / length) * bend,
  };
  const points = Array.from({ length: 13 }, (_, at) =>
    between(between(from, control, at / 12), between(control, to, at / 12), at / 12),
  );
  return { path: `M${from.x} ${from.y} Q${control.x} ${control.y} ${to.x} ${to.y}`, points };
}

/** In one layer: beneath what stands between. */
function below(from: Place, to: Place): Pick<Line, 'path' | 'points'> {
  const toRight = to.x > from.x;
  const middle = BOX.width / 2 + (toRight ? -30 : 30);
  const [start, end] = [from.x + middle, to.x + BOX.width - middle];
  const y = from.y + BOX.height + 6;
  const depth = y + 52;
  // As deep as the curve comes.
  const deepest = y + 39;
  return {
    path: `M${start} ${y} C${start} ${depth} ${end} ${depth} ${end} ${y}`,
    points: [
      { x: start, y },
      { x: between({ x: start, y }, { x: end, y }, 0.2).x, y: deepest },
      { x: between({ x: start, y }, { x: end, y }, 0.8).x, y: deepest },
      { x: end, y },
    ],
  };
}

const ROUND = 12;

/** Straight pieces with round corners. */
function pathOf(points: readonly Place[]): string {
  const bends = points.slice(1, -1).map((corner, at) => {
    const [before, after] = [points[at]!, points[at + 2]!];
    const [start, end] = [towards(corner, before), towards(corner, after)];
    return ` L${start.x} ${start.y} Q${corner.x} ${corner.y} ${end.x} ${end.y}`;
  });
  const [first, last] = [points[0]!, points.at(-1)!];
  return `M${first.x} ${first.y}${bends.join('')} L${last.x} ${last.y}`;
}

function towards(from: Place, to: Place): Place {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return between(from, to, Math.min(0.5, ROUND / length));
}
