// Every ratio with its interval on one axis: left of the line B has less, right of it more. The four primary figures
// are bold, what is only explored is said to be. A table, so it reads without its bars.

import type { Figure } from '../../format/report.ts';
import { html, type Markup } from '../elements/markup.ts';
import { inUnit, range, ratio, tick } from '../elements/numbers.ts';
import { logarithmic, roundRange, type Scale } from '../elements/scale.ts';
import { against, verdict } from '../elements/words.ts';

const ROOM = 1000;

export function forest(figures: readonly Figure[]): Markup {
  // Primary figures always; of the others what there is to see. Why the rest is n/a is said below, once.
  const shown = figures.filter((one) => one.primary || one.ratio);
  const known = figures.flatMap(({ ratio: one }) => (one ? [one.median, one.low, one.high] : []));
  const [low, high] = roundRange([0.8, 1.25, ...known.filter((value) => value !== null)]);
  const scale = logarithmic([low, high], [0, ROOM]);
  const labels = [low, 1, high].filter((at, index, all) => all.indexOf(at) === index);
  return html`<table class="forest"><caption>B over A. The bar is the interval, the mark its median; a bar across the line at 1 is no difference.</caption>
<thead><tr><th scope="col">figure</th><th scope="col">A</th><th scope="col">B</th><th scope="col" class="bars"><span class="ticks" aria-hidden="true">${labels.map(
    (at) => html`<span style="left:${scale(at) / 10}%">${tick(at)}x</span>`,
  )}</span><span class="hidden">B over A, drawn</span></th><th scope="col">B / A</th><th scope="col">interval</th><th scope="col" class="says">says</th></tr></thead>
<tbody>${shown.map((figure) => row(figure, scale))}</tbody></table>${unknown(figures.filter((one) => !shown.includes(one)))}`;
}

function unknown(figures: readonly Figure[]): Markup[] {
  const reasons = [...new Set(figures.map(({ why }) => why ?? 'not said'))];
  return reasons.map((why) => {
    const titles = figures.filter((one) => (one.why ?? 'not said') === why).map(({ title }) => title);
    return html`<p class="note">n/a (${why}): ${titles.join('; ')}.</p>`;
  });
}

function row(figure: Figure, scale: Scale): Markup {
  const { title, unit, a, b, ratio: interval, primary } = figure;
  const worse = against(figure);
  return html`<tr class="${primary ? 'primary' : 'exploratory'}"><th scope="row">${title}${!primary && html` <small>exploratory</small>`}</th>
<td data-name="A">${inUnit(a, unit)}</td><td data-name="B">${inUnit(b, unit)}</td>
<td class="bars">${bar(figure, scale, worse)}</td>
<td data-name="B / A">${ratio(interval)}</td><td data-name="interval">${range(interval)}${interval && html` <small>${Math.round(interval.level * 1000) / 10} %, ${interval.pairs} pairs</small>`}</td>
<td data-name="says" class="says ${worse ? `against-${worse}` : ''}">${verdict(figure)}</td></tr>`;
}

function bar({ ratio: interval }: Figure, scale: Scale, worse: string | undefined): Markup {
  const one = scale(1);
  const line = html`<path class="one" d="M${one} 0V24"/>`;
  if (!interval)
    return html`<svg class="stretch" viewBox="0 0 ${ROOM} 24" preserveAspectRatio="none" aria-hidden="true">${line}</svg>`;
  const { low, median, high } = interval;
  const from = scale(low ?? median);
  const to = scale(high ?? median);
  const look = worse ? `against-${worse}` : 'none';
  return html`<svg class="stretch" viewBox="0 0 ${ROOM} 24" preserveAspectRatio="none" aria-hidden="true">${line}<rect class="interval ${look}" x="${from}" y="9" width="${Math.max(2, to - from)}" height="6"/><rect class="median ${look}" x="${scale(median) - 4}" y="4" width="8" height="16"/></svg>`;
}
