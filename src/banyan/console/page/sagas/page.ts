// The sagas that are not over, those that are stuck first, with what helps; in numbers by step; and the style in which those
// go on that begin from now on. Found by id, state, age and step; the filter is in the URL.

import { holderOf, type Unhandled } from '../../shared/held.ts';
import { Act, Lacks } from '../kit/act.ts';
import { Badge } from '../kit/badge.ts';
import { Command } from '../kit/command.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { Choice, FilterBar, Words } from '../kit/filters.ts';
import { html, useState } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href, query } from '../kit/router.ts';
import { isId } from '../kit/saga-link.ts';
import { system } from '../kit/system.ts';
import { Table } from '../kit/table.ts';
import { Ago } from '../kit/time.ts';
import { SagaDialog, StyleSwitch, type Which } from './acts.ts';
import { Cause } from './holder.ts';
import { NoId } from './no-id.ts';
import {
  commandOf,
  deskHere,
  helps,
  inWords,
  type Overview,
  ofDesk,
  type SagaDesk,
  type SagaListed,
  STATES,
  TONES,
} from './shape.ts';
import { useUnhandled } from './unhandled.ts';

export const title = 'Sagas';

const PAGE = 50;
const AGES = [
  ['', 'any'],
  ['10s', 'more than 10 s'],
  ['1m', 'more than 1 min'],
  ['1h', 'more than 1 h'],
  ['1d', 'more than 1 d'],
] as const;

export default function Page() {
  const desk = deskHere();
  const { id, state, step, olderThan, cursor } = query.value;
  const given = Object.entries({ id, state, step, olderThan, cursor }).filter(([, value]) => value);
  const asked = new URLSearchParams([...(given as [string, string][]), ['limit', String(PAGE)]]);
  // A part of an id is none: nothing is asked while somebody types it.
  const isPart = id !== undefined && !isId(id);
  const { data, problem, loading, reload } = useResource<Overview>(
    desk && !isPart ? `${desk.list.path}?${asked}` : null,
    { everyMs: 3_000 },
  );
  if (!desk) return html`<${Empty} title="No module of this system has sagas." />`;
  return html`
    ${data ? html`<${Style} desk=${desk} data=${data} reload=${reload} />` : null}
    <${Filters} desk=${desk} data=${data} />
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${loading ? html`<${Loading} />` : null}
    ${isPart ? html`<${NoId}> <a href=${href('/sagas', ofDesk(desk))}>Show all that are not over</a><//>` : null}
    ${data ? html`<${List} desk=${desk} data=${data} reload=${reload} filtered=${given.length > 0} />` : null}
    ${data ? html`<${ByStep} data=${data} />` : null}
    ${desk.list.command ? html`<div><span class="label">The same in a terminal</span><${Command} text=${commandOf(desk.list, '')} /></div>` : null}`;
}

function Style({ desk, data, reload }: { desk: SagaDesk; data: Overview; reload: () => Promise<void> }) {
  const [open, setOpen] = useState(false);
  const words =
    data.style === 'orchestration'
      ? 'A coordinator says which step comes next.'
      : 'Modules react to the events of one another; nobody has the whole.';
  return html`<div class="card spread sagas-style">
    <div><strong>New sagas: ${data.style}.</strong> ${words} <span class="quiet">Since <${Ago} at=${data.changedAt} />, by ${data.changedBy}.</span></div>
    ${desk.style ? html`<${Act} needs=${desk.style.needs} onClick=${() => setOpen(true)}>Switch style…<//><${Lacks} needs=${desk.style.needs} />` : null}
    ${open ? html`<${StyleSwitch} desk=${desk} now=${data.style} onClose=${() => setOpen(false)} onDone=${reload} />` : null}
  </div>`;
}

function Filters({ desk, data }: { desk: SagaDesk; data: Overview | undefined }) {
  const { state = '', olderThan = '', step = '' } = query.value;
  const known = new Set([...(data?.steps.map((one) => one.step) ?? []), ...(step ? [step] : [])]);
  const steps = [['', 'any'] as const, ...[...known].sort().map((one) => [one, one] as const)];
  const states = [['', 'any not over'] as const, ...STATES.map((one) => [one, one] as const)];
  const ages = AGES.some(([age]) => age === olderThan) ? AGES : [...AGES, [olderThan, olderThan] as const];
  return html`<${FilterBar} names=${['of', 'id', 'state', 'step', 'olderThan']}>
    ${system.sagas.length > 1 ? html`<${Choice} label="Module" name="of" value=${desk.module} options=${system.sagas.map(({ module }) => [module, module])} />` : null}
    <${Words} label=${inWords(desk.idName)} name="id" />
    <${Choice} label="State" name="state" value=${state} options=${states} />
    <${Choice} label="Step" name="step" value=${step} options=${steps} />
    <${Choice} label="There since" name="olderThan" value=${olderThan} options=${ages} />
  <//>`;
}

interface ListProps {
  readonly desk: SagaDesk;
  readonly data: Overview;
  readonly filtered: boolean;
  readonly reload: () => Promise<void>;
}

function List({ desk, data, filtered, reload }: ListProps) {
  const [open, setOpen] = useState<Which | undefined>(undefined);
  const { items = [], nextCursor } = data;
  const { events = [] } = useUnhandled(items.map(({ id }) => id));
  const holderIn = ({ id, state }: SagaListed) =>
    holderOf(
      state,
      events.filter(({ key }) => key === id),
    );
  if (items.length === 0)
    return filtered
      ? html`<${Empty} title="No saga fits this filter."><p>One that is over is found by its id. <a href=${href('/sagas', ofDesk(desk))}>Show all that are not over</a></p><//>`
      : html`<${Empty} title="Every saga is over.">One that is over is found by its id.<//>`;
  const columns = [
    {
      title: inWords(desk.idName),
      head: true,
      cell: ({ id }: SagaListed) =>
        html`<a class="mono" href=${href(`/sagas/${id}`, ofDesk(desk))}>${id}</a>`,
    },
    { title: 'State', cell: ({ state }: SagaListed) => html`<${Badge} tone=${TONES[state]}>${state}<//>` },
    { title: 'Step', cell: ({ step }: SagaListed) => html`<span class="letters-line">${step}</span>` },
    {
      title: 'Waits for',
      cell: (one: SagaListed) => html`<${Turn} desk=${desk} one=${one} holder=${holderIn(one)} />`,
    },
    { title: 'Style', cell: ({ style }: SagaListed) => html`<span class="letters-line">${style}</span>` },
    { title: 'Tries', number: true, cell: ({ attempts }: SagaListed) => String(attempts) },
    { title: 'There since', cell: ({ since }: SagaListed) => html`<${Ago} at=${since} />` },
    {
      title: 'Why, and what helps',
      cell: (one: SagaListed) =>
        html`<${Help} desk=${desk} one=${one} holder=${holderIn(one)} setOpen=${setOpen} />`,
    },
  ];
  const mayHelp = (desk.retry ?? desk.cancel) && items.some(({ state }) => state === 'stuck');
  return html`${mayHelp ? html`<${Lacks} needs=${helps(desk)} />` : null}
    <${Table} caption="Sagas, those that are stuck first" columns=${columns} rows=${items} keyOf=${({ id }: SagaListed) => id} />
    ${
      nextCursor || query.value.cursor
        ? html`<nav class="row" aria-label="Pages of the list">
      ${query.value.cursor ? html`<a href=${href('/sagas', { ...query.value, cursor: undefined })}>First page</a>` : null}
      ${nextCursor ? html`<a rel="next" href=${href('/sagas', { ...query.value, cursor: nextCursor })}>Next page</a>` : null}
    </nav>`
        : null
    }
    ${open ? html`<${SagaDialog} desk=${desk} which=${open} onClose=${() => setOpen(undefined)} onDone=${reload} />` : null}`;
}

interface RowProps {
  readonly desk: SagaDesk;
  readonly one: SagaListed;
  /** The event that holds it. */
  readonly holder: Unhandled | undefined;
}

/** Whose turn it is: before all, that of the module which holds it. */
function Turn({ desk, one: { state, by }, holder }: RowProps) {
  if (state === 'finished') return html`<span class="quiet">–</span>`;
  const module = holder?.module ?? by ?? desk.module;
  return html`<a class="letters-line" href=${href(`/modules/${encodeURIComponent(module)}`)}>${module}</a>`;
}

interface HelpProps extends RowProps {
  readonly setOpen: (which: Which) => void;
}

function Help({ desk, one: { id, state, style, why, notCancelled }, holder, setOpen }: HelpProps) {
  const ask = (role: Which['role']) => () => setOpen({ role, id, style, holder });
  // What a coordinator met is its own trouble, whatever else there is.
  const own = why && !(holder && style === 'choreography');
  return html`<div class="sagas-help">
    ${holder ? html`<span><${Cause} one=${holder} /></span>` : null}
    ${own ? html`<span>${why}</span>` : holder ? null : html`<span class="quiet">–</span>`}
    ${
      state === 'stuck'
        ? html`<span class="row">
      ${desk.retry ? html`<${Act} needs=${desk.retry.needs} class="small" aria-label=${`Retry ${id}…`} onClick=${ask('retry')}>Retry…<//>` : null}
      ${desk.cancel ? html`<${Act} needs=${desk.cancel.needs} class="small danger" aria-label=${`Cancel ${id}…`} disabled=${Boolean(notCancelled)} title=${notCancelled ?? undefined} onClick=${ask('cancel')}>Cancel…<//>` : null}
      <a href=${href(`/sagas/${id}`, ofDesk(desk))}>What holds it<span class="heard"> ${id}</span></a>
    </span>
    ${desk.cancel && notCancelled ? html`<span class="quiet">No cancel: ${notCancelled}</span>` : null}`
        : null
    }</div>`;
}

function ByStep({ data }: { data: Overview }) {
  if (data.steps.length === 0) return null;
  type Row = Overview['steps'][number];
  const number = (name: (typeof STATES)[number]) => ({
    title: name,
    number: true,
    cell: (row: Row) =>
      row[name] > 0
        ? html`<a href=${href('/sagas', { of: query.value.of, step: row.step, state: name })}>${row[name]}</a>`
        : html`<span class="quiet">0</span>`,
  });
  const columns = [
    { title: 'Step', head: true, cell: ({ step }: Row) => step },
    { title: 'Style', cell: ({ style }: Row) => style },
    ...STATES.map(number),
  ];
  return html`<h2>Where they stand</h2>
    <${Table} caption="Sagas by step" columns=${columns} rows=${data.steps} keyOf=${({ style, step }: Row) => `${style} ${step}`} />`;
}
