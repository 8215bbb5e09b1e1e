// One bar a side, cut into what its processes take: CPU a thousand requests, memory. Generator apart: it is no part of
// either shape. The numbers stand below each bar.

import type { ProcessCost, Report } from '../../format/report.ts';
import { html, type Markup } from '../elements/markup.ts';
import { NAME, SIDES } from '../elements/words.ts';

export interface Bars {
  readonly title: string;
  readonly of: (process: ProcessCost) => number | null;
  readonly write: (value: number | null) => string;
  /** The whole of a side, as the report has it. */
  readonly total: (side: 'a' | 'b') => number | null;
}

const ROOM = 1000;

export function costBars(report: Report, { title, of, write, total }: Bars): Markup {
  const processes = (side: 'a' | 'b') =>
    report.measured[side].processes.filter(({ role }) => role !== 'generator');
  const sum = (side: 'a' | 'b') => processes(side).reduce((whole, one) => whole + (of(one) ?? 0), 0);
  // A process has one colour on both sides; the servers that are no part of a shape have theirs.
  const hosts = [
    ...new Set(
      SIDES.flatMap((side) =>
        processes(side)
          .filter(({ role }) => role === 'host')
          .map(({ name }) => name),
      ),
    ),
  ];
  const look = ({ name, role }: ProcessCost) =>
    role === 'host' ? `cut-${hosts.indexOf(name) % 7}` : role === 'postgres' ? 'cut-7' : 'cut-8';
  const most = Math.max(...SIDES.map(sum)) || 1;
  return html`<figure class="bars-of"><figcaption>${title}</figcaption>${SIDES.map((side) => {
    let at = 0;
    const cuts = processes(side).map((one) => {
      const wide = ((of(one) ?? 0) / most) * ROOM;
      const cut = html`<rect class="cut ${look(one)}" x="${at.toFixed(1)}" y="0" width="${Math.max(0, wide - 2).toFixed(1)}" height="22"/>`;
      at += wide;
      return cut;
    });
    return html`<p class="bar-name"><b class="side ${side}">${NAME[side]}</b> ${report.shapes[side].label}: <b>${write(total(side))}</b></p>
<svg class="stretch" viewBox="0 0 ${ROOM} 22" preserveAspectRatio="none" aria-hidden="true">${cuts}</svg>
<ul class="legend">${processes(side).map(
      (one) =>
        html`<li><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="cut ${look(one)}" width="12" height="12"/></svg>${one.name}${one.modules.length > 1 && html` <small>(${one.modules.join(', ')})</small>`} ${write(of(one))}</li>`,
    )}</ul>`;
  })}</figure>`;
}
