// One saga: where it stands and why, what happened step by step, what helps if it is stuck, and what it left behind: letters
// that nobody could handle, and its trace.
import { get } from '../kit/api.ts';
import { Badge } from '../kit/badge.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { html, useEffect, useState } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href } from '../kit/router.ts';
import { system } from '../kit/system.ts';
import { Table } from '../kit/table.ts';
import { Ago, lasting, Time } from '../kit/time.ts';
import { TraceLink } from '../kit/trace-link.ts';
import { Act, type Which } from './acts.ts';
import { deskHere, inWords, ofDesk, pathOf, type SagaDesk, type Shown, type Step, TONES } from './shape.ts';

export const title = ({ id }: Readonly<Record<string, string>>) => `Saga ${id}`;

export default function Page({ params: { id = '' } }: { params: Readonly<Record<string, string>> }) {
  const desk = deskHere();
  const { data, problem, loading, reload } = useResource<Shown>(desk ? pathOf(desk.show, id) : null, {
    everyMs: 2_000,
  });
  if (!desk) return html`<${Empty} title="No module of this system has sagas." />`;
  return html`
    <p><a href=${href('/sagas', ofDesk(desk))}>All sagas</a></p>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${loading ? html`<${Loading} />` : null}
    ${data ? html`<${Standing} desk=${desk} id=${id} saga=${data} reload=${reload} /><${Timeline} items=${data.items} />` : null}
    ${data && system.has.letters ? html`<${Letters} sagaKey=${id} />` : null}`;
}

interface StandingProps {
  readonly desk: SagaDesk;
  readonly id: string;
  readonly saga: Shown;
  readonly reload: () => Promise<void>;
}

function Standing({ desk, id, saga, reload }: StandingProps) {
  const [open, setOpen] = useState<Which | undefined>(undefined);
  const { state, status, style, step, why } = saga;
  const stuck = state === 'stuck';
  return html`<dl class="letter-facts">
      <dt>State</dt><dd><${Badge} tone=${TONES[state]}>${state}<//>${status ? ` · ${status}` : ''}</dd>
      <dt>${state === 'finished' ? 'Last step' : 'Step'}</dt><dd>${step}</dd>
      ${why ? html`<dt>Why</dt><dd>${why}</dd>` : null}
      <dt>Style</dt><dd>${style}</dd>
      <dt>${inWords(desk.idName)}</dt><dd><code>${id}</code> of <a href=${href(`/modules/${desk.module}`)}>${desk.module}</a></dd>
      <dt>Trace</dt><dd><${Trace} saga=${saga} /></dd>
    </dl>
    ${
      state === 'finished'
        ? null
        : html`<div class="row">
          ${desk.retry ? html`<button type="button" disabled=${!stuck} onClick=${() => setOpen({ role: 'retry', id })}>Retry…</button>` : null}
          ${desk.cancel ? html`<button type="button" class="danger" disabled=${!stuck} onClick=${() => setOpen({ role: 'cancel', id })}>Cancel…</button>` : null}
          ${stuck ? null : html`<span class="quiet">It is within its time: there is nothing to do.</span>`}
        </div>`
    }
    ${open ? html`<${Act} desk=${desk} which=${open} onClose=${() => setOpen(undefined)} onDone=${reload} />` : null}`;
}

/** Of a driven saga it is known; of another the event says it that told of its beginning. */
function Trace({ saga: { trace, begunBy } }: { saga: Shown }) {
  const [found, setFound] = useState<string | null>(null);
  const asks = !trace && begunBy ? begunBy : undefined;
  useEffect(() => {
    if (!asks) return;
    get<{ traceparent: string | null }>(`/admin/events/${asks}`).then(
      ({ traceparent }) => setFound(traceparent),
      () => {},
    );
  }, [asks]);
  return html`<${TraceLink} traceparent=${trace ?? found} />`;
}

function Timeline({ items }: { items: readonly Step[] }) {
  const first = items[0] ? Date.parse(items[0].at) : 0;
  const columns = [
    { title: 'Step', head: true, cell: ({ step }: Step) => step },
    { title: 'State', cell: ({ status }: Step) => html`<${Badge} tone=${TONES[status]}>${status}<//>` },
    { title: 'After', number: true, cell: ({ at }: Step) => lasting(Math.max(0, Date.parse(at) - first)) },
    { title: 'At', cell: ({ at }: Step) => html`<${Time} at=${at} />` },
    { title: 'Where', cell: ({ where }: Step) => where ?? html`<span class="quiet">nobody yet</span>` },
    { title: 'Tries', number: true, cell: ({ attempts }: Step) => String(attempts) },
    { title: 'Why', cell: ({ why }: Step) => why ?? html`<span class="quiet">–</span>` },
  ];
  return html`<h2>What happened</h2>
    <${Table} caption="Steps, as one caused the other" columns=${columns} rows=${items.map((one, n) => ({ ...one, n }))} keyOf=${({ n }: Step & { n: number }) => String(n)} />`;
}

interface Letter {
  readonly module: string;
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly reason: string | null;
  readonly since: string;
}

/** Events of its key that were not handled: dead, or waiting for another try. */
function Letters({ sagaKey }: { sagaKey: string }) {
  const of = (state: string) => `/admin/events/dead?${new URLSearchParams({ key: sagaKey, state })}`;
  const dead = useResource<{ items: readonly Letter[] }>(of('dead'), { everyMs: 5_000 });
  const waiting = useResource<{ items: readonly Letter[] }>(of('waiting'), { everyMs: 5_000 });
  const rows = [...(dead.data?.items ?? []), ...(waiting.data?.items ?? [])];
  const columns = [
    {
      title: 'Event',
      head: true,
      cell: ({ id, type, module }: Letter) => html`<a href=${href(`/dead/${id}`, { module })}>${type}</a>`,
    },
    { title: 'At', cell: ({ module }: Letter) => module },
    {
      title: 'State',
      cell: ({ state }: Letter) => html`<${Badge} tone=${state === 'dead' ? 'bad' : 'busy'}>${state}<//>`,
    },
    { title: 'Reason', cell: ({ reason }: Letter) => reason ?? '–' },
    { title: 'Since', cell: ({ since }: Letter) => html`<${Ago} at=${since} />` },
  ];
  return html`<h2>Events that were not handled</h2>
    ${dead.problem ? html`<${ProblemBox} problem=${dead.problem} />` : null}
    ${
      rows.length > 0
        ? html`<${Table} caption="Events of this saga that were not handled" columns=${columns} rows=${rows} keyOf=${({ module, id }: Letter) => `${module} ${id}`} />`
        : html`<p class="quiet">None: every event of this key was handled.</p>`
    }`;
}
