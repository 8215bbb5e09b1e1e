// Capacity curves: how latency grows with the rate, and where the bound is passed. Each point is one step of the
// search; a hollow one failed the bound.

import type { Capacity, Report, Side } from '../../format/report.ts';
import { html, type Markup } from '../elements/markup.ts';
import { ms, perSecond, tick } from '../elements/numbers.ts';
import { linear, logarithmic, roundRange } from '../elements/scale.ts';
import { NAME, SIDES } from '../elements/words.ts';
import { plot } from './plot.ts';

export function capacityCharts(report: Report, capacity: Capacity): Markup[] {
  const steps = (side: Side) =>
    capacity.searches
      .filter((search) => search.side === side)
      .flatMap((search) => search.steps)
      .filter((step) => step.p99Ms !== null)
      .sort((one, other) => one.perSecond - other.perSecond);
  const all = SIDES.flatMap(steps);
  const drawn =
    all.length > 0 &&
    plot({
      id: 'capacity',
      title: 'p99 by rate',
      description: `${SIDES.map(
        (side) =>
          `${NAME[side]}: ${steps(side)
            .map((step) => `${ms(step.p99Ms)} at ${perSecond(step.perSecond)}`)
            .join(', ')}.`,
      ).join(' ')} The bound is ${ms(capacity.p99BoundMs)}.`,
      x: {
        name: 'requests a second',
        scale: (from, to) => linear(Math.max(...all.map((step) => step.perSecond)), [from, to], 4),
        write: tick,
      },
      y: {
        name: 'p99 in ms, log',
        scale: (from, to) =>
          logarithmic(roundRange([...all.map((step) => step.p99Ms!), capacity.p99BoundMs]), [from, to]),
        write: tick,
      },
      bound: { y: capacity.p99BoundMs, name: `bound: ${ms(capacity.p99BoundMs)}` },
      series: SIDES.map((side) => ({
        name: `${NAME[side]}, ${report.shapes[side].label}`,
        look: side,
        dashed: side === 'b',
        dots: true,
        points: steps(side).map((step) => ({ x: step.perSecond, y: step.p99Ms!, hollow: !step.ok })),
      })),
    });
  const none = html`<figure class="chart"><figcaption>p99 by rate</figcaption><p class="absent">No step had the 2,000 requests that a p99 needs; the steps are in the tables below.</p></figure>`;
  return [drawn || none, foundRates(report, capacity)];
}

function foundRates(report: Report, { searches }: Capacity): Markup {
  return html`<figure class="chart"><figcaption>Highest rate within the bound, search by search</figcaption><dl class="plain">${SIDES.map(
    (side) =>
      html`<dt><b class="side ${side}">${NAME[side]}</b> ${report.shapes[side].label}</dt><dd>${
        searches
          .filter((search) => search.side === side)
          .map((search) => `${search.atLeast ? 'at least ' : ''}${perSecond(search.perSecond)}`)
          .join(', ') || 'not measured'
      }</dd>`,
  )}</dl><p class="note">“At least” where the load generator ended the search, not the shape. A hollow point missed the bound or had failures.</p></figure>`;
}
