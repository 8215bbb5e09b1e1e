// What more processes and more cores would give: measured here, and what the model says.

import type { Model, Report, Scaling } from '../../format/report.ts';
import type { Markup } from '../elements/markup.ts';
import { count, perSecond, tick } from '../elements/numbers.ts';
import { linear, logarithmic, type Scale } from '../elements/scale.ts';
import { NAME, SIDES } from '../elements/words.ts';
import { type Axis, plot } from './plot.ts';

const rate = (highest: number): Axis => ({
  name: 'requests a second',
  scale: (from, to) => linear(highest, [from, to], 4),
  write: tick,
});

/** Whole numbers, each named. */
function wholes(values: readonly number[], from: number, to: number): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (to - from) * 0.08;
  const place = (value: number) =>
    high === low ? (from + to) / 2 : from + room + ((value - low) / (high - low)) * (to - from - 2 * room);
  return Object.assign(place, { ticks: [...new Set(values)] });
}

export function instancesChart({ module, measured }: Scaling): Markup {
  const known = measured.flatMap((one) => [one.perSecond ?? 0, one.predictedPerSecond ?? 0]);
  const points = (pick: (one: Scaling['measured'][number]) => number | null) =>
    measured.flatMap((one) => {
      const y = pick(one);
      return y === null ? [] : [{ x: one.instances, y }];
    });
  return plot({
    id: 'scaling',
    title: `${module} in more processes`,
    description: measured
      .map(
        (one) =>
          `${one.instances} instances: measured ${perSecond(one.perSecond)}, predicted ${perSecond(one.predictedPerSecond)}.`,
      )
      .join(' '),
    x: {
      name: `processes of ${module}`,
      scale: (from, to) =>
        wholes(
          measured.map((one) => one.instances),
          from,
          to,
        ),
      write: count,
    },
    y: rate(Math.max(...known)),
    series: [
      { name: 'measured', look: 'b', dots: true, points: points((one) => one.perSecond) },
      {
        name: 'predicted by the model',
        look: 'model',
        dashed: true,
        points: points((one) => one.predictedPerSecond),
      },
    ],
  });
}

export function coresChart(report: Report, { predictions }: Model): Markup {
  const cores = [...new Set(predictions.map((one) => one.cores))].sort((one, other) => one - other);
  const of = (side: 'a' | 'b') => predictions.filter((one) => one.side === side);
  return plot({
    id: 'cores',
    title: 'Predicted capacity by cores',
    description: SIDES.map(
      (side) =>
        `${NAME[side]}: ${of(side)
          .map((one) => `${perSecond(one.perSecond)} on ${one.cores} cores, limited by ${one.bottleneck}`)
          .join('; ')}.`,
    ).join(' '),
    x: {
      name: 'cores, doubling',
      scale: (from, to) =>
        Object.assign(logarithmic([Math.min(...cores) * 0.9, Math.max(...cores) * 1.1], [from, to]), {
          ticks: cores.filter((one) => Number.isInteger(Math.log2(one))),
        }),
      write: count,
    },
    y: rate(Math.max(...predictions.map((one) => one.perSecond))),
    series: SIDES.map((side) => ({
      name: `${NAME[side]}, ${report.shapes[side].label}`,
      look: side,
      dashed: true,
      points: of(side).map((one) => ({ x: one.cores, y: one.perSecond, hollow: true })),
      dots: true,
    })),
  });
}
