// One saga: where it stands and why, what happened step by step, what helps if it is stuck, and what it left behind: letters
// that nobody could handle, and its trace.
import { holderOf, type Unhandled } from '../../shared/held.ts';
import { Act, Lacks } from '../kit/act.ts';
import { get } from '../kit/api.ts';
import { Badge } from '../kit/badge.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { html, useEffect, useState } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href } from '../kit/router.ts';
import { isId } from '../kit/saga-link.ts';
import { may, system } from '../kit/system.ts';
import { Table } from '../kit/table.ts';
import { lasting, Time } from '../kit/time.ts';
import { TraceLink } from '../kit/trace-link.ts';
import { SagaDialog, type Which } from './acts.ts';
import { Holder } from './holder.ts';
import { NoId } from './no-id.ts';
import {
  deskHere,
  helps,
  inWords,
  ofDesk,
  pathOf,
  type SagaDesk,
  type Shown,
  type Step,
  TONES,
} from './shape.ts';
import { Letters, type Unhandleds, useUnhandled } from './unhandled.ts';

export const title = ({ id }: Readonly<Record<string, string>>) => `Saga ${id}`;

export default function Page({ params: { id = '' } }: { params: Readonly<Record<string, string>> }) {
  const desk = deskHere();
  const isWhole = isId(id);
  const { data, problem, loading, reload } = useResource<Shown>(
    desk && isWhole ? pathOf(desk.show, id) : null,
    { everyMs: 2_000 },
  );
  const unhandled = useUnhandled(isWhole ? [id] : []);
  if (!desk) return html`<${Empty} title="No module of this system has sagas." />`;
  return html`
    <p><a href=${href('/sagas', ofDesk(desk))}>All sagas</a></p>
    ${isWhole ? null : html`<${NoId} />`}
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${loading ? html`<${Loading} />` : null}
    ${data ? html`<${Standing} desk=${desk} id=${id} saga=${data} unhandled=${unhandled} reload=${reload} /><${Timeline} items=${data.items} />` : null}
    ${data && (unhandled.events ?? unhandled.problem) ? html`<${Letters} unhandled=${unhandled} />` : null}`;
}

interface StandingProps {
  readonly desk: SagaDesk;
  readonly id: string;
  readonly saga: Shown;
  readonly unhandled: Unhandleds;
  readonly reload: () => Promise<void>;
}

function Standing({ desk, id, saga, unhandled, reload }: StandingProps) {
  const [open, setOpen] = useState<Which | undefined>(undefined);
  const { state, status, style, step, why, notCancelled } = saga;
  const stuck = state === 'stuck';
  const holder = holderOf(state, unhandled.events ?? []);
  const by = holder?.module ?? saga.by;
  const ask = (role: Which['role']) => () => setOpen({ role, id, style, holder });
  return html`<dl class="letter-facts">
      <dt>State</dt><dd><${Badge} tone=${TONES[state]}>${state}<//>${status ? ` · ${status}` : ''}</dd>
      <dt>${state === 'finished' ? 'Last step' : 'Step'}</dt><dd>${step}</dd>
      ${why && !(holder && style === 'choreography') ? html`<dt>Why</dt><dd>${why}</dd>` : null}
      ${state !== 'finished' && by ? html`<dt>Waits for</dt><dd><a href=${href(`/modules/${by}`)}>${by}</a></dd>` : null}
      <dt>Style</dt><dd>${style}</dd>
      <dt>${inWords(desk.idName)}</dt><dd><code>${id}</code> of <a href=${href(`/modules/${desk.module}`)}>${desk.module}</a></dd>
      <dt>Trace</dt><dd><${Trace} saga=${saga} />${system.has.traces ? html` <a href=${href('/traces', { key: id })}>All traces with this id</a>` : null}</dd>
    </dl>
    <${Holder} module=${desk.module} saga=${saga} unhandled=${unhandled} />
    ${
      state === 'finished'
        ? null
        : html`<div class="row">
          ${desk.retry ? html`<${Act} needs=${desk.retry.needs} disabled=${!stuck} onClick=${ask('retry')}>Retry…<//>` : null}
          ${desk.cancel ? html`<${Act} needs=${desk.cancel.needs} class="danger" disabled=${!stuck || Boolean(notCancelled)} title=${notCancelled ?? undefined} onClick=${ask('cancel')}>Cancel…<//>` : null}
          ${stuck ? null : html`<span class="quiet">${withinTime(style, holder)}</span>`}
          ${stuck && desk.cancel && notCancelled ? html`<span class="quiet">No cancel: ${notCancelled}</span>` : null}
        </div>
        ${stuck && (desk.retry ?? desk.cancel) ? html`<${Lacks} needs=${helps(desk)} />` : null}`
    }
    ${open ? html`<${SagaDialog} desk=${desk} which=${open} onClose=${() => setOpen(undefined)} onDone=${reload} />` : null}`;
}

function withinTime(style: string, holder: Unhandled | undefined): string {
  if (!holder) return 'It is within its time: there is nothing to do.';
  return style === 'choreography'
    ? 'It is within its time, but does not go on before that: it will be stuck again.'
    : 'It is within its time.';
}

/** Of a driven saga it is known; of another the event says it that told of its beginning, to whom events are shown. */
function Trace({ saga: { trace, begunBy } }: { saga: Shown }) {
  const [found, setFound] = useState<string | null>(null);
  const asks = !trace && begunBy && system.has.events && may('events') ? begunBy : undefined;
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
