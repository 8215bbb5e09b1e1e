// What runs between the boxes: calls as lines with their numbers, events as dashed arrows with their lag. Pure.
import type { Numbers, Picture } from '../../shared/picture-shape.ts';
import { errors, ms, rate } from '../kit/words.ts';
import { BOX, type Layout, lineBetween, type Place } from './layout.ts';

export interface Line {
  readonly key: string;
  readonly path: string;
  /** The middle of its label. */
  readonly at: Place;
}

export interface RefLine extends Line {
  /** Empty: nobody asked lately. */
  readonly lines: readonly string[];
  readonly bad: boolean;
}

export interface EventLine extends Line {
  readonly label: string | undefined;
}

/** Where a module serves most. */
function mainPlace({ modules }: Picture, layout: Layout, module: string): Place {
  return (modules[module]!.placement === 'service' ? layout.far : layout.near).get(module)!;
}

export function refsOf(picture: Picture, layout: Layout): RefLine[] {
  return Object.entries(picture.refs).flatMap(([key, sides]) => {
    const [caller = '', module = ''] = key.split('>');
    if (caller === '' || !picture.modules[caller] || !picture.modules[module]) return [];
    const from = mainPlace(picture, layout, caller);
    const asked = (['in-process', 'service'] as const).filter((side) => sides[side] !== undefined);
    const shown = asked.length > 0 ? asked : [undefined];
    return shown.map((side): RefLine => {
      const to =
        side === undefined
          ? mainPlace(picture, layout, module)
          : (side === 'service' ? layout.far : layout.near).get(module)!;
      const line = lineBetween(from, to);
      const numbers = side && sides[side];
      return {
        key: `${key} ${side ?? ''}`,
        path: `M${line.from.x} ${line.from.y} L${line.to.x} ${line.to.y}`,
        at: clearOf(layout, [0.56, 0.46, 0.66, 0.36, 0.74, 0.28], (share) =>
          between(line.from, line.to, share),
        ),
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

/** Bent to the left of their way, so that both ways of a pair and the calls between are apart. */
export function arrowsOf(picture: Picture, layout: Layout): EventLine[] {
  return Object.entries(picture.arrows).flatMap(([key, { events, seconds }]) => {
    const [publisher = '', listener = ''] = key.split('>');
    if (publisher === listener || !picture.modules[publisher] || !picture.modules[listener]) return [];
    const { from, to } = lineBetween(
      mainPlace(picture, layout, publisher),
      mainPlace(picture, layout, listener),
    );
    const label = events === 0 ? undefined : seconds === undefined ? `${events} behind` : `lag ${seconds} s`;
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    if (Math.abs(dy) < 1) return { key, label, ...below(from, to) };
    const length = Math.hypot(dx, dy) || 1;
    const bend = Math.min(60, 18 + length * 0.1);
    const control = {
      x: (from.x + to.x) / 2 + (dy / length) * bend,
      y: (from.y + to.y) / 2 - (dx / length) * bend,
    };
    return {
      key,
      path: `M${from.x} ${from.y} Q${control.x} ${control.y} ${to.x} ${to.y}`,
      at: clearOf(layout, [0.36, 0.28, 0.44, 0.2, 0.54, 0.62], (share) => onCurve(from, control, to, share)),
      label,
    };
  });
}

/** The first of these shares of its way where no box is. */
function clearOf(layout: Layout, shares: readonly number[], at: (share: number) => Place): Place {
  const boxes = [...layout.near.values(), ...layout.far.values()];
  const isClear = ({ x, y }: Place) =>
    !boxes.some(
      (box) => x > box.x - 34 && x < box.x + BOX.width + 34 && y > box.y - 18 && y < box.y + BOX.height + 18,
    );
  const places = shares.map(at);
  return places.find(isClear) ?? places[0]!;
}

/** In one layer: beneath what stands between. */
function below(from: Place, to: Place): Pick<Line, 'path' | 'at'> {
  const toRight = to.x > from.x;
  const [start, end] = [from.x + (toRight ? -30 : 30), to.x + (toRight ? 30 : -30)];
  const y = from.y + BOX.height / 2 + 3;
  const depth = y + 52;
  return {
    path: `M${start} ${y} C${start} ${depth} ${end} ${depth} ${end} ${y}`,
    at: { x: (start + end) / 2, y: y + 39 },
  };
}

function onCurve(a: Place, control: Place, b: Place, share: number): Place {
  return between(between(a, control, share), between(control, b, share), share);
}

const between = (a: Place, b: Place, share: number): Place => ({
  x: a.x + (b.x - a.x) * share,
  y: a.y + (b.y - a.y) * share,
});
