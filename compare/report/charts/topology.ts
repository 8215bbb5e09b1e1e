// An architecture as a picture: the process with the gateway, the modules in it, and below it the processes of their
// own. Boxes only, from what the report says of the shape.

import type { Report, Side, TopologyInfo } from '../../format/report.ts';
import { html, type Markup } from '../elements/markup.ts';
import { NAME } from '../elements/words.ts';

const WIDTH = 360;
const GAP = 8;
const ROW = 30;

export function topologyPicture({ shapes }: Report, side: Side): Markup {
  const topology = shapes[side];
  const near = topology.modules
    .filter(({ placement }) => placement === 'in-process')
    .map(({ module }) => module);
  const far = topology.modules.filter(({ placement }) => placement === 'service');
  const homeHeight = 62 + Math.ceil(near.length / 3) * (ROW + 6);
  const below = homeHeight + 44 + 46;
  const height = far.length > 0 ? below + Math.ceil(far.length / 3) * (ROW + 34) : homeHeight + 52;
  return html`<figure class="chart"><figcaption><b class="side ${side}">${NAME[side]}</b> ${topology.label}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="shape-${side}-t shape-${side}-d">
<title id="shape-${side}-t">${topology.label}</title><desc id="shape-${side}-d">${inWords(topology, near)}</desc>
<text class="label" x="${WIDTH / 2}" y="16" text-anchor="middle">requests</text><path class="wire" d="M${WIDTH / 2} 22V40"/>
<g transform="translate(0 42)"><rect class="box ${side}" x="1" y="1" width="${WIDTH - 2}" height="${homeHeight}" rx="8"/>
<text class="label" x="12" y="20">${near.length > 0 ? 'one process' : 'the gateway’s process'}</text>
<rect class="chip gate" x="12" y="28" width="${WIDTH - 24}" height="24" rx="5"/><text class="label" x="${WIDTH / 2}" y="45" text-anchor="middle">gateway</text>
${near.map((module, index) => chip(module, index, 60))}</g>
${far.length > 0 && fars(far, homeHeight + 42, below, side)}
</svg></figure>`;
}

const wide = (WIDTH - 24 - 2 * GAP) / 3;

function chip(module: string, index: number, top: number): Markup {
  const x = 12 + (index % 3) * (wide + GAP);
  const y = top + Math.floor(index / 3) * (ROW + 6);
  return html`<rect class="chip" x="${x.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${ROW}" rx="5"/><text class="label" x="${(x + wide / 2).toFixed(1)}" y="${y + 19}" text-anchor="middle">${module}</text>`;
}

function fars(far: TopologyInfo['modules'], from: number, top: number, side: Side): Markup {
  const room = (WIDTH - 2 * GAP) / 3;
  const places = far.map((one, index) => ({
    ...one,
    x: (index % 3) * (room + GAP),
    y: top + Math.floor(index / 3) * (ROW + 34),
  }));
  const middle = (x: number) => (x + (room - 3) / 2).toFixed(1);
  // Lines first: those to the lower rows pass behind the boxes of the upper ones.
  return html`<text class="label small" x="${WIDTH / 2 + 8}" y="${from + 22}">over the network</text>
${places.map(({ x, y }) => html`<path class="wire" d="M${WIDTH / 2} ${from + 2}V${from + 32}H${middle(x)}V${y}"/>`)}
${places.map(
  ({
    module,
    instances,
    x,
    y,
  }) => html`${instances > 1 && html`<rect class="box ${side}" x="${(x + 4).toFixed(1)}" y="${y + 4}" width="${(room - 5).toFixed(1)}" height="${ROW + 18}" rx="7"/>`}
<rect class="box ${side}" x="${(x + 1).toFixed(1)}" y="${y}" width="${(room - 5).toFixed(1)}" height="${ROW + 18}" rx="7"/><text class="label" x="${middle(x)}" y="${y + 21}" text-anchor="middle">${module}</text><text class="label small" x="${middle(x)}" y="${y + 38}" text-anchor="middle">${instances > 1 ? `${instances} processes` : 'a process'}</text>`,
)}`;
}

function inWords({ modules, processes }: TopologyInfo, near: readonly string[]): string {
  const far = modules.filter(({ placement }) => placement === 'service');
  const apart = far.map(({ module, instances }) => `${module} (${instances})`).join(', ');
  return `${processes} processes. With the gateway in one process: ${near.join(', ') || 'no module'}. In processes of their own: ${apart || 'none'}.`;
}
