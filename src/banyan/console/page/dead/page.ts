// Events that a consumer could not handle: found by module, type, reason, key and age, chosen, and redriven or dropped
// together. The filter and the page of the list are in the URL.
import { Act, Lacks } from '../kit/act.ts';
import { Badge } from '../kit/badge.ts';
import { Command } from '../kit/command.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { html, useEffect, useState } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href, query } from '../kit/router.ts';
import { may } from '../kit/system.ts';
import { Table } from '../kit/table.ts';
import { Ago } from '../kit/time.ts';
import { dead as command, type Filter, filterOf, isEmpty, type Meant } from './commands.ts';
import { Filters, STATES } from './filters.ts';
import { DropMany, RedriveMany } from './many.ts';
import type { Letter } from './shape.ts';

export const title = 'Dead letters';

interface Letters {
  readonly items: readonly Letter[];
  readonly nextCursor: string | null;
  readonly total?: number;
}

const PAGE = 50;

/** A letter at one consumer: an event may be dead at several. */
const placeOf = ({ module, id }: Letter) => `${module} ${id}`;

export default function Page() {
  const { state = 'dead', cursor } = query.value;
  const filter = filterOf(query.value);
  const asked = new URLSearchParams({ ...filter, state, limit: String(PAGE), ...(cursor ? { cursor } : {}) });
  const { data, problem, loading, reload } = useResource<Letters>(`/admin/events/dead?${asked}`, {
    everyMs: 5_000,
  });
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [said, setSaid] = useState('');
  const where = String(asked);
  useEffect(() => setChosen([]), [where]);
  const there = data?.items.filter((one) => chosen.includes(placeOf(one))) ?? [];
  const done = (words: string) => {
    setSaid(words);
    setChosen([]);
    void reload();
  };
  return html`
    <p class="quiet">Events that a module listens to and could not handle. Later events of the same key wait behind one that holds its key.</p>
    <${Filters} />
    <p class="letters-said" role="status">${said}</p>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${loading ? html`<${Loading} />` : null}
    ${
      data === undefined
        ? null
        : data.items.length === 0
          ? html`<${None} filter=${filter} state=${state} />`
          : html`
            <${Lacks} needs="events" />
            <${Many} data=${data} state=${state} filter=${filter} chosen=${there} onDone=${done} />
            <${List} data=${data} chosen=${chosen} setChosen=${setChosen} choosable=${state === 'dead' && may('events')} />
            <${Pages} next=${data.nextCursor} cursor=${cursor} />
            <div><span class="label">The same in a terminal</span><${Command} text=${command(filter)} /></div>`
    }`;
}

function None({ filter, state }: { filter: Filter; state: string }) {
  const [, words] = STATES.find(([name]) => name === state) ?? STATES[0]!;
  if (!isEmpty(filter))
    return html`<${Empty} title="None fits this filter."><a href=${href('/dead', { state: state === 'dead' ? undefined : state })}>Show all</a><//>`;
  return state === 'dead'
    ? html`<${Empty} title="No dead letters.">Every event was handled, or is still being tried.<//>`
    : html`<${Empty} title=${`None is ${words}.`}><a href=${href('/dead')}>Show the dead letters</a><//>`;
}

interface ManyProps {
  readonly data: Letters;
  readonly state: string;
  readonly filter: Filter;
  readonly chosen: readonly Letter[];
  readonly onDone: (words: string) => void;
}

/** How many there are, and what can be done with those that are chosen, or with all. */
function Many({ data, state, filter, chosen, onDone }: ManyProps) {
  const [open, setOpen] = useState<'redrive' | 'drop' | undefined>(undefined);
  const close = () => setOpen(undefined);
  const of = new Set(chosen.map(({ module }) => module));
  // One consumer: an event that is dead elsewhere as well is left there.
  const module = filter.module ?? (of.size === 1 ? [...of][0] : undefined);
  const meant: Meant = {
    ids: [...new Set(chosen.map(({ id }) => id))],
    filter: chosen.length > 0 ? { module } : filter,
  };
  const count = chosen.length || data.total;
  const all = count === undefined ? 'all' : count === 1 ? 'it' : `all ${count}`;
  const which = chosen.length > 0 ? `${chosen.length} chosen` : all;
  const dialog = { meant, count, onClose: close, onDone };
  return html`<div class="spread letters-many">
    <div>${data.total === undefined ? null : html`<strong>${data.total}</strong> ${data.total === 1 ? 'event' : 'events'}${isEmpty(filter) ? '' : ' that fit'}`}</div>
    ${
      state === 'dead'
        ? html`<div class="row">
          <${Act} needs="events" onClick=${() => setOpen('redrive')}>Redrive ${which}…<//>
          <${Act} needs="events" class="danger" onClick=${() => setOpen('drop')}>Drop ${which}…<//>
        </div>`
        : null
    }
    ${open === 'redrive' ? html`<${RedriveMany} ...${dialog} />` : null}
    ${open === 'drop' ? html`<${DropMany} ...${dialog} />` : null}
  </div>`;
}

interface ListProps {
  readonly data: Letters;
  readonly chosen: readonly string[];
  readonly setChosen: (places: readonly string[]) => void;
  readonly choosable: boolean;
}

function List({ data, chosen, setChosen, choosable }: ListProps) {
  const places = data.items.map(placeOf);
  const every = places.every((place) => chosen.includes(place));
  const toggle = (place: string) =>
    setChosen(chosen.includes(place) ? chosen.filter((one) => one !== place) : [...chosen, place]);
  const columns = [
    {
      title: 'Event',
      head: true,
      cell: (one: Letter) => html`<span class="letters-name">
        ${choosable ? html`<input type="checkbox" aria-label=${`Choose ${one.type} of ${one.key} at ${one.module}`} checked=${chosen.includes(placeOf(one))} onChange=${() => toggle(placeOf(one))} />` : null}
        <a href=${href(`/dead/${one.id}`, { module: one.module })}>${one.type}</a></span>`,
    },
    { title: 'Key', cell: ({ key }: Letter) => html`<code class="letters-key" title=${key}>${key}</code>` },
    { title: 'At', cell: ({ module }: Letter) => html`<span class="letters-line">${module}</span>` },
    {
      title: 'Reason',
      cell: ({ reason }: Letter) => html`<span class="letters-reason">${reason ?? '–'}</span>`,
    },
    { title: 'Failed', number: true, cell: ({ attempts }: Letter) => `${attempts}×` },
    {
      title: 'Behind it',
      number: true,
      cell: ({ holds, behind }: Letter) =>
        !holds ? '–' : behind > 0 ? html`<${Badge} tone="warn">${behind}<//>` : '0',
    },
    {
      title: 'Since',
      cell: ({ since }: Letter) => html`<span class="letters-line"><${Ago} at=${since} /></span>`,
    },
  ];
  return html`
    ${choosable ? html`<label class="check"><input type="checkbox" checked=${every} onChange=${() => setChosen(every ? [] : places)} /> Choose all on this page</label>` : null}
    <${Table} caption="Events that were not handled" columns=${columns} rows=${data.items} keyOf=${placeOf} />`;
}

function Pages({ next, cursor }: { next: string | null; cursor: string | undefined }) {
  if (!next && !cursor) return null;
  const at = (to: string | undefined) => href('/dead', { ...query.value, cursor: to });
  return html`<nav class="row" aria-label="Pages of the list">
    ${cursor ? html`<a href=${at(undefined)}>First page</a>` : null}
    ${next ? html`<a href=${at(next)} rel="next">Next page</a>` : null}
  </nav>`;
}
