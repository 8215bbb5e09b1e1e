// Percentile curves: how slow the slowest are, to the nines. One chart a kind of request.

import type { Latency, Report } from '../../format/report.ts';
import { html, type Markup } from '../elements/markup.ts';
import { ms, tick } from '../elements/numbers.ts';
import { linear, logarithmic, roundRange, type Scale } from '../elements/scale.ts';
import { NAME, SIDES } from '../elements/words.ts';
import { plot } from './plot.ts';

/** 0.9 is 1, 0.99 is 2: as far apart as they are hard. */
const nines = (quantile: number) => -Math.log10(1 - quantile);
const NAMED: readonly (readonly [number, string])[] = [
  [0.5, 'p50'],
  [0.9, 'p90'],
  [0.99, 'p99'],
  [0.999, 'p99.9'],
  [0.9999, 'p99.99'],
];

export function percentileCharts(report: Report): Markup[] {
  const kinds = [{ kind: 'all', label: 'all requests' }, ...report.work.kinds];
  return kinds.flatMap(({ kind, label }) => {
    const sides = SIDES.map((side) => [side, latencyOf(report, side, kind)] as const);
    const curves = sides.map(([, latency]) => (latency?.curve ?? []).filter(({ quantile }) => quantile < 1));
    if (curves.every((curve) => curve.length < 2))
      return [
        noCurve(
          label,
          sides.map(([, one]) => one),
        ),
      ];
    const farthest = Math.max(...curves.flat().map(({ quantile }) => nines(quantile)));
    return [
      plot({
        id: `percentiles-${kind}`,
        title: label,
        description: sides.map(([side, latency]) => `${NAME[side]}: ${inWords(latency)}.`).join(' '),
        x: {
          name: 'share of requests',
          scale: (from, to) => quantileScale(farthest, from, to),
          write: (at) => NAMED.find(([quantile]) => nines(quantile) === at)![1],
        },
        y: {
          name: 'ms, log',
          scale: (from, to) => logarithmic(roundRange(curves.flat().map((point) => point.ms)), [from, to]),
          write: tick,
        },
        series: SIDES.map((side, index) => ({
          name: `${NAME[side]}, ${report.shapes[side].label}`,
          look: side,
          dashed: side === 'b',
          points: curves[index]!.map((point) => ({ x: nines(point.quantile), y: point.ms })),
        })),
      }),
    ];
  });
}

function quantileScale(farthest: number, from: number, to: number): Scale {
  const scale = linear(1, [from, from + (to - from) / farthest]);
  const ticks = NAMED.map(([quantile]) => nines(quantile)).filter((tick) => tick <= farthest + 0.001);
  return Object.assign((value: number) => scale(value), { ticks });
}

export function latencyOf({ measured }: Report, side: 'a' | 'b', kind: string): Latency | undefined {
  return measured[side].latency.find((one) => one.kind === kind);
}

function inWords(latency: Latency | undefined): string {
  if (!latency) return 'not measured';
  const { p50Ms, p90Ms, p99Ms, p999Ms, maxMs, samples } = latency;
  return `p50 ${ms(p50Ms)}, p90 ${ms(p90Ms)}, p99 ${ms(p99Ms)}, p99.9 ${ms(p999Ms)}, highest ${ms(maxMs)}, of ${samples} requests`;
}

function noCurve(label: string, sides: readonly (Latency | undefined)[]): Markup {
  const words = sides.map((latency, index) => `${NAME[SIDES[index]!]}: ${latency?.samples ?? 0} requests`);
  return html`<figure class="chart"><figcaption>${label}</figcaption><p class="absent">Too few requests for a curve (${words.join(', ')}); a quantile needs 20 beyond it.</p></figure>`;
}
