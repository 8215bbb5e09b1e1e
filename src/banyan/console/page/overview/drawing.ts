// Both architectures, drawn: left the product as one process, right as services, each module at the same place in both. What
// serves is filled, what is only tried or a share is so far filled; a flip moves the box across. All of it is in the table, too:
// to who hears the page it is one image with a sentence.
import type { Picture, PictureModule } from '../../shared/picture-shape.ts';
import { standingOf } from '../../shared/standing.ts';
import { servesInWords } from '../../shared/words.ts';
import { stateOf } from '../kit/ended.ts';
import { html } from '../kit/html.ts';
import { now } from '../kit/time.ts';
import {
  cores,
  type EventRates,
  eventRates,
  isFresh,
  megabytes,
  ms,
  plural,
  rate,
  together,
} from '../kit/words.ts';
import { flowsOf } from './arrows.ts';
import { BOX, type Layout, layoutOf, type Place } from './layout.ts';

/** @param stacked the halves one under the other, for a phone. */
export function Drawing({ picture, stacked }: { picture: Picture; stacked: boolean }) {
  const layout = layoutOf(picture.modules, stacked);
  const { width, height, half, tall, services } = layout;
  const { refs, events } = flowsOf(picture, layout);
  const modules = Object.entries(picture.modules).sort(([a], [b]) => (a < b ? -1 : 1));
  return html`<svg class=${stacked ? 'picture stacked' : 'picture'} viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${inWords(modules)}>
    <defs>
      <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" class="tip" /></marker>
      <marker id="idle-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" class="idle-tip" /></marker>
      <marker id="open-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 8 4 0 8" class="open-tip" /></marker>
    </defs>
    <${Side} at=${{ x: 0, y: 0 }} width=${half} height=${tall} name="One process" cost=${picture.cost['in-process']} />
    <${Side} at=${services} width=${half} height=${tall} name="Services" cost=${picture.cost.service} />
    ${modules.flatMap(([name]) => [layout.near, layout.far].map((side, at) => html`<${Ghost} key=${`${name} ${at}`} at=${side.get(name)!} name=${name} />`))}
    ${events.map((one) => html`<g key=${one.key} class="event"><path d=${one.path} marker-end="url(#open-tip)" /></g>`)}
    ${refs.map((one) => html`<g key=${one.key} class=${one.lines.length > 0 ? 'ref' : 'ref idle'}><path d=${one.path} marker-end=${one.lines.length > 0 ? 'url(#tip)' : 'url(#idle-tip)'} /></g>`)}
    ${modules.map(([name, module]) => html`<${Box} key=${name} name=${name} module=${module} layout=${layout} events=${eventRates(picture, name)} />`)}
    ${events.map((one) => (one.label ? html`<text key=${`${one.key} lag`} class="lag" x=${one.at.x} y=${one.at.y + 4} text-anchor="middle">${one.label}</text>` : null))}
    ${refs.map((one) => (one.lines.length > 0 ? html`<${Label} key=${one.key} at=${one.at} lines=${one.lines} bad=${one.bad} />` : null))}
  </svg>`;
}

function inWords(modules: readonly (readonly [string, PictureModule])[]): string {
  const serve = modules.map(([name, module]) => `${name}: ${servesInWords(module)}`).join('; ');
  return `Where modules serve. ${serve}. The table below says the same.`;
}

function Side({
  at: { x, y },
  width,
  height,
  name,
  cost,
}: {
  at: Place;
  width: number;
  height: number;
  name: string;
  cost: Picture['cost']['service'];
}) {
  const takes =
    cost.processes === 0
      ? 'no process'
      : `${plural(cost.processes, 'process')} · ${cores(cost.cpu)} · ${megabytes(cost.memoryBytes)}`;
  return html`<g class="side">
    <rect x=${x + 1} y=${y + 1} width=${width - 2} height=${height - 2} rx="10" />
    <text x=${x + 20} y=${y + 30} class="name">${name}</text>
    <text x=${x + width - 20} y=${y + 30} class="cost" text-anchor="end">${takes}</text>
  </g>`;
}

function Ghost({ at, name }: { at: Place; name: string }) {
  return html`<g class="ghost"><rect x=${at.x} y=${at.y} width=${BOX.width} height=${BOX.height} rx="6" /><text x=${at.x + BOX.width / 2} y=${at.y + BOX.height / 2 + 5} text-anchor="middle">${name}</text></g>`;
}

/** What serves; and beside it, where the service has a share or is tried, the other one. */
function Box({
  name,
  module,
  layout,
  events,
}: {
  name: string;
  module: PictureModule;
  layout: Layout;
  events: EventRates | undefined;
}) {
  const { placement, percent, numbers } = module;
  const main = (placement === 'service' ? layout.far : layout.near).get(name)!;
  const beside = placement === 'canary' || placement === 'shadow' ? layout.far.get(name)! : undefined;
  const far = numbers.service;
  const near = placement === 'service' ? together(numbers) : (numbers['in-process'] ?? together(numbers));
  const half = placement === 'canary' ? `${100 - percent} % of requests` : undefined;
  const says = half === undefined ? wordsOf(near, events) : [half, numberWords(near)];
  return html`<g>
    ${beside ? html`<${Token} at=${beside} name=${name} kind=${placement} share=${placement === 'canary' ? percent : 0} module=${module} says=${placement === 'canary' ? [`${percent} % of requests`, numberWords(far)] : [tried(module), numberWords(undefined)]} service />` : null}
    <${Token} at=${main} name=${name} kind="serves" share=${placement === 'canary' ? 100 - percent : 100} module=${module} says=${[...says, flipIn(module)]} service=${placement === 'service'} />
  </g>`;
}

/** A module that nobody calls may work by events all the same. */
function wordsOf(numbers: ReturnType<typeof together>, events: EventRates | undefined): string[] {
  if (numbers || !events) return [numberWords(numbers), timeWords(numbers)];
  return [`reads ${rate(events.reads)} events/s`, `publishes ${rate(events.publishes)}/s`];
}

function flipIn({ flip }: PictureModule): string {
  if (!flip || !isFresh(flip, now.value)) return '';
  const failed = flip.failed === undefined ? '' : `flip: ${flip.failed} failed`;
  return flip.draining > 0 ? `${failed}, ${flip.draining} draining` : failed;
}

const tried = ({ mirror }: PictureModule) =>
  mirror ? `shadow: ${mirror.reads} % reads, ${mirror.writes} % writes` : 'shadow';

interface TokenProps {
  readonly at: Place;
  readonly name: string;
  readonly kind: string;
  readonly share: number;
  readonly module: PictureModule;
  /** A line each. */
  readonly says: readonly string[];
  readonly service?: boolean;
}

function Token({ at, name, kind, share, module, says, service = false }: TokenProps) {
  const instances = service ? Object.entries(module.instances) : [];
  const down = instances.filter(([, one]) => standingOf(one) === 'down').map(([id]) => id);
  const lacks = down.length === 0 ? '' : down.length === instances.length ? ' down' : ' lacks';
  const lines = down.length === 0 ? says : [says[0], downWords(down), ...says.slice(2)];
  return html`<g class=${`token ${kind}${lacks}`} style=${{ transform: `translate(${at.x}px, ${at.y}px)` }}>
    <rect class="back" width=${BOX.width} height=${BOX.height} rx="6" />
    <rect class="fill" width=${(BOX.width * share) / 100} height=${BOX.height} rx="6" />
    <rect class="frame" width=${BOX.width} height=${BOX.height} rx="6" />
    <text class="name" x="10" y="20">${name}</text>
    ${instances.map(([id, one], index) => html`<${Dot} key=${id} x=${BOX.width - 14 - 14 * (instances.length - 1 - index)} tone=${stateOf(one).tone} />`)}
    ${lines.map((line, index) => html`<text key=${index} class=${down.length > 0 && index === 1 ? 'ends' : index === 2 ? (module.flip?.failed ? 'flip bad' : 'flip') : ''} x="10" y=${37 + 15 * index}>${line}</text>`)}
  </g>`;
}

const downWords = (ids: readonly string[]) =>
  ids.length === 1 ? `${ids[0]} is down` : `${ids.length} processes are down`;

function Dot({ x, tone }: { x: number; tone: ReturnType<typeof stateOf>['tone'] }) {
  if (tone === 'warn') return html`<path class="dot warn" d=${`M${x} 10.5 l5 9 h-10z`} />`;
  if (tone === 'good') return html`<circle class="dot good" cx=${x} cy="16" r="4.5" />`;
  if (tone === 'busy') return html`<circle class="dot busy" cx=${x} cy="16" r="4" />`;
  return html`<rect class="dot bad" x=${x - 4} y="12" width="8" height="8" />`;
}

const numberWords = (numbers: ReturnType<typeof together>) =>
  numbers === undefined
    ? 'no calls'
    : `${rate(numbers.perSecond)}/s${numbers.errors > 0 ? ` · ${(numbers.errors * 100).toFixed(1)} % failed` : ''}`;

const timeWords = (numbers: ReturnType<typeof together>) =>
  numbers?.p50 === undefined ? '' : `p50 ${ms(numbers.p50)} · p99 ${ms(numbers.p99)} ms`;

/** Numbers along a line, in a box that hides the line. */
function Label({ at, lines, bad = false }: { at: Place; lines: readonly string[]; bad?: boolean }) {
  const width = Math.max(...lines.map(({ length }) => length)) * 6.1 + 10;
  const height = lines.length * 14 + 4;
  return html`<g class=${bad ? 'tag bad' : 'tag'}>
    <rect x=${at.x - width / 2} y=${at.y - height / 2} width=${width} height=${height} rx="3" />
    ${lines.map((line, index) => html`<text x=${at.x} y=${at.y - height / 2 + 13 + index * 14} text-anchor="middle">${line}</text>`)}
  </g>`;
}
