// A chart of lines and points in plain SVG: 360 wide in its own units, so that its letters stay readable on a phone;
// wider screens put several side by side. Colours come from the page, so it follows light, dark and print. It has a
// title and a description for whoever does not see it.
import { html, type Markup } from '../elements/markup.ts';
import type { Scale } from '../elements/scale.ts';

export const WIDTH = 360;
const LEFT = 46;
const RIGHT = 14;
const TOP = 10;
const BOTTOM = 38;

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Drawn hollow: not within the bound, or not measured but predicted. */
  readonly hollow?: boolean;
}

export interface Series {
  readonly name: string;
  /** Which colour: a, b, or another name of the page's style. */
  readonly look: string;
  readonly dashed?: boolean;
  readonly dots?: boolean;
  readonly line?: boolean;
  readonly points: readonly Point[];
}

export interface Axis {
  /** Called with the place of its begin and of its end. */
  readonly scale: (from: number, to: number) => Scale;
  readonly name: string;
  readonly write: (tick: number) => string;
}

export interface Plot {
  /** Unique on the page, made of letters, digits and dashes. */
  readonly id: string;
  readonly title: string;
  /** What it shows, in words and numbers. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** A level that is named, such as a bound. */
  readonly bound?: { readonly y: number; readonly name: string };
  readonly height?: number;
}

export function plot({ id, title, description, x, y, series, bound, height = 230 }: Plot): Markup {
  const bottom = height - BOTTOM;
  const across = x.scale(LEFT, WIDTH - RIGHT);
  const up = y.scale(bottom, TOP);
  const lines = series.map((one) => drawSeries(one, across, up));
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">
<title id="${id}-t">${title}</title><desc id="${id}-d">${description}</desc>
${up.ticks.map((tick) => yTick(tick, up(tick), y.write(tick)))}
${across.ticks.map((tick) => xTick(across(tick), bottom, x.write(tick)))}
<text class="axis" x="${LEFT}" y="${height - 4}">${x.name}</text>
<text class="axis" x="${WIDTH - RIGHT}" y="${height - 4}" text-anchor="end">up: ${y.name}</text>
${bound && boundLine(up(bound.y), bound.name)}
${lines}
</svg>${legend(series)}</figure>`;
}

const round = (value: number) => Math.round(value * 10) / 10;

function yTick(_tick: number, at: number, words: string): Markup {
  return html`<path class="grid" d="M${LEFT} ${round(at)}H${WIDTH - RIGHT}"/><text class="tick" x="${LEFT - 5}" y="${round(at + 4)}" text-anchor="end">${words}</text>`;
}

function xTick(at: number, bottom: number, words: string): Markup {
  return html`<path class="grid" d="M${round(at)} ${bottom}v4"/><text class="tick" x="${round(at)}" y="${bottom + 16}" text-anchor="middle">${words}</text>`;
}

function boundLine(at: number, name: string): Markup {
  return html`<path class="bound" d="M${LEFT} ${round(at)}H${WIDTH - RIGHT}"/><text class="tick" x="${LEFT + 4}" y="${round(at < 24 ? at + 13 : at - 4)}">${name}</text>`;
}

function drawSeries({ look, points, dashed, dots, line = true }: Series, x: Scale, y: Scale): Markup {
  const places = points.map((point) => [round(x(point.x)), round(y(point.y)), point.hollow] as const);
  const path = places.map(([left, top], index) => `${index === 0 ? 'M' : 'L'}${left} ${top}`).join('');
  return html`${line && places.length > 1 && html`<path class="line ${look}${dashed ? ' dashed' : ''}" d="${path}"/>`}
${(dots || places.length === 1) && places.map(([left, top, hollow]) => html`<circle class="dot ${look}${hollow ? ' hollow' : ''}" cx="${left}" cy="${top}" r="3.5"/>`)}`;
}

function legend(series: readonly Series[]): Markup {
  return html`<ul class="legend">${series.map(
    ({ name, look, dashed, dots, line = true }) =>
      html`<li><svg viewBox="0 0 26 10" aria-hidden="true">${line && html`<path class="line ${look}${dashed ? ' dashed' : ''}" d="M0 5H26"/>`}${dots && html`<circle class="dot ${look}" cx="13" cy="5" r="3.5"/>`}</svg>${name}</li>`,
  )}</ul>`;
}
