// Every module in a row, in the words of `banyan status`, with what can be done to it.
import { deployWords } from '../../shared/deploy-words.ts';
import type { Picture, PictureModule } from '../../shared/picture-shape.ts';
import { servesInWords } from '../../shared/words.ts';
import { Badge } from '../kit/badge.ts';
import { html } from '../kit/html.ts';
import { instanceBadge, ModuleButtons } from '../kit/module-buttons.ts';
import { href } from '../kit/router.ts';
import { Table } from '../kit/table.ts';
import { Ago, now } from '../kit/time.ts';
import {
  behind,
  errors,
  eventRates,
  eventWords,
  isFresh,
  lastFlip,
  ms,
  rate,
  together,
} from '../kit/words.ts';

type Row = readonly [name: string, module: PictureModule];

export function ModuleTable({ picture }: { picture: Picture }) {
  const rows = Object.entries(picture.modules).sort(([a], [b]) => (a < b ? -1 : 1));
  const number = (title: string, cell: (numbers: NonNullable<ReturnType<typeof together>>) => string) => ({
    title,
    number: true,
    cell: ([, module]: Row) => {
      const numbers = together(module.numbers);
      return numbers ? cell(numbers) : '–';
    },
  });
  return html`<${Table} caption="Modules" rows=${rows} keyOf=${([name]: Row) => name} columns=${[
    {
      title: 'Module',
      head: true,
      cell: ([name]: Row) => html`<a href=${href(`/modules/${encodeURIComponent(name)}`)}>${name}</a>`,
    },
    { title: 'Serves', cell: Serves },
    {
      title: 'Move it',
      acts: true,
      cell: ([name, module]: Row) => html`<${ModuleButtons} name=${name} module=${module} />`,
    },
    {
      title: 'Calls/s',
      number: true,
      cell: ([name, module]: Row) => html`<${Asked} name=${name} module=${module} picture=${picture} />`,
    },
    number('p50 ms', ({ p50 }) => ms(p50)),
    number('p99 ms', ({ p99 }) => ms(p99)),
    number('Errors', (one) => errors(one.errors)),
    { title: 'Processes', cell: Instances },
    { title: 'Store', cell: Store },
    { title: 'Changed', cell: Changed },
  ]} />`;
}

/** Nobody calls a module that works by events alone. */
function Asked({ name, module, picture }: { name: string; module: PictureModule; picture: Picture }) {
  const numbers = together(module.numbers);
  if (numbers) return html`<span>${rate(numbers.perSecond)}</span>`;
  const events = eventRates(picture, name);
  return events ? html`<span class="quiet">${eventWords(events)}</span>` : html`<span>–</span>`;
}

function Serves([, module]: Row) {
  const { placement, mirror, mirrorPaused, ladder, deploy, tooOld } = module;
  const tone = placement === 'service' ? 'good' : placement === 'in-process' ? 'plain' : 'busy';
  return html`<div><${Badge} tone=${tone}>${servesInWords(module)}<//>
    ${mirror ? html`<div class="quiet">tried: ${mirror.reads} % of reads, ${mirror.writes} % of writes${mirrorPaused === undefined ? '' : `; pauses: ${mirrorPaused}`}</div>` : null}
    ${ladder ? html`<div class="quiet">ladder ${ladder.state} at ${ladder.rung}</div>` : null}
    ${deploy ? html`<div class="quiet">${deployWords(deploy)}</div>` : null}
    ${tooOld ? html`<div class="quiet">too old for it, sends all to the monolith: ${tooOld.join(', ')}</div>` : null}</div>`;
}

function Instances([, module]: Row) {
  const all = Object.entries(module.instances);
  if (all.length === 0)
    return html`<span class="quiet">${module.placement === 'in-process' ? 'none of its own' : 'no process'}</span>`;
  return html`<ul class="plain">${all.map(([id, one]) => html`<li key=${id}>${instanceBadge(id, one)}</li>`)}</ul>`;
}

function Store([, { store }]: Row) {
  if (!store) return html`<span class="quiet">–</span>`;
  const lag = store.lagBytes === undefined ? '' : `, ${behind(store.lagBytes)}`;
  return html`<span>${store.server}${store.state === 'single' ? '' : html` <span class="quiet">${store.state}${store.step ? `: ${store.step}` : ''}${lag}</span>`}</span>`;
}

function Changed([, { changedAt, changedBy, flip }]: Row) {
  return html`<div><${Ago} at=${changedAt} />, ${changedBy}${flip && !isFresh(flip, now.value) && flip.failed !== undefined ? html`<div class=${flip.failed ? 'bad' : 'quiet'}>${lastFlip(flip)}</div>` : null}</div>`;
}
