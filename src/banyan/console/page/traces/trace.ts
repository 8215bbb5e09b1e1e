// One trace as a waterfall: what ran where and when, one under what caused it, with what is missing said where it is missing.
import type { Trace, TraceSpan } from '../../../admin/traces-contract.ts';
import { Badge } from '../kit/badge.ts';
import { Loading } from '../kit/empty.ts';
import { ms } from '../kit/figures.ts';
import { html } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href, query, setQuery } from '../kit/router.ts';
import { isId, SagaLink } from '../kit/saga-link.ts';
import { Time } from '../kit/time.ts';
import { Silent } from './silent.ts';
import { type Row, rowsOf } from './tree.ts';

export const title = (params: Readonly<Record<string, string>>) => `Trace ${params.id!.slice(0, 8)}…`;

/** What a part is, in words. */
function kindOf({ kind, attributes }: TraceSpan): string {
  const isCall = attributes['rpc.method'] !== undefined;
  if (kind === 'server') return isCall ? 'call, here' : 'request';
  if (kind === 'client') return 'call, to another process';
  if (kind === 'producer') return 'waits in the outbox';
  if (kind === 'consumer') return 'event';
  return isCall ? 'call, near' : 'job';
}

export default function Page({ params }: { params: Readonly<Record<string, string>> }) {
  const { data, problem, loading, reload } = useResource<Trace>(`/admin/traces/${params.id}`);
  if (problem)
    return html`<p><a href=${href('/traces')}>All traces</a></p><${ProblemBox} problem=${problem} again=${reload} />`;
  if (loading || !data) return html`<${Loading} what="Asking all hosts" />`;
  const rows = rowsOf(data);
  const open = rows.find(({ span }) => span?.id === query.value.span)?.span;
  return html`
    <p><a href=${href('/traces')}>All traces</a></p>
    <div class="row">
      <${Badge} tone=${data.failed ? 'bad' : 'good'}>${data.failed ? 'failed' : 'ok'}<//>
      <span>${ms(data.ms)}</span><span><${Time} at=${data.at} /></span>
      <span>${data.spans.length} spans on ${[...new Set(data.spans.map(({ host }) => host))].join(', ')}</span>
      <button type="button" class="small" onClick=${reload}>Ask again</button>
    </div>
    <p class="mono quiet">${data.trace}</p>
    <p class="links">${idsOf(data).map((id) => html`<${SagaLink} key=${id} id=${id} />`)}</p>
    <${Silent} hosts=${data.silent} />
    <div class="scroll" tabindex="0" role="region" aria-label="Waterfall"><table class="waterfall stack">
      <caption class="heard">The parts of this trace, in the order in which they began</caption>
      <thead><tr><th scope="col">What</th><th scope="col">Module</th><th scope="col">Where</th><th scope="col">Is</th><th scope="col" class="number">Begins</th><th scope="col" class="number">Took</th><th scope="col" class="lane">0 to ${ms(data.ms)}</th></tr></thead>
      <tbody>${rows.map((row) => html`<${Line} key=${row.key} row=${row} total=${data.ms} open=${open?.id} />`)}</tbody>
    </table></div>
    ${open ? html`<${Details} span=${open} />` : html`<p class="quiet">Choose a part to see what is known of it.</p>`}`;
}

/** Each may be that of a saga. */
const MOST_IDS = 6;

/** Ids that stand in it, the keys of events before what stands in paths: those begin and move sagas. */
function idsOf({ spans }: Trace): string[] {
  const isOfEvent = ({ kind }: TraceSpan) => kind === 'producer' || kind === 'consumer';
  const ordered = [...spans.filter(isOfEvent), ...spans.filter((one) => !isOfEvent(one))];
  return [...new Set(ordered.flatMap(({ keys }) => keys).filter(isId))].slice(0, MOST_IDS);
}

function Line({ row, total, open }: { row: Row; total: number; open: string | undefined }) {
  const { span, depth, missing } = row;
  const indent = `depth d${Math.min(depth, 8)}`;
  if (!span)
    return html`<tr class="gone"><th scope="row" data-title="What"><span class=${indent}><${Badge} tone="warn">missing<//></span></th><td colspan="6" data-title="">${missing}</td></tr>`;
  const here = open === span.id;
  const toggle = () => setQuery({ span: here ? undefined : span.id });
  return html`<tr class=${here ? 'open' : ''}>
    <th scope="row" data-title="What"><span class=${indent}><button type="button" class="plain" aria-expanded=${here} onClick=${toggle}>${span.name}</button>
      ${span.failed ? html` <${Badge} tone="bad">failed<//>` : null}</span></th>
    <td data-title="Module">${span.module ?? ''}</td>
    <td data-title="Where"><span>${span.host} <span class="quiet">${span.side}</span></span></td>
    <td data-title="Is"><span>${kindOf(span)}${span.waitedMs === undefined ? null : html`<span class="quiet">, after ${ms(span.waitedMs)} in the log</span>`}</span></td>
    <td class="number" data-title="Begins">${ms(span.offsetMs)}</td>
    <td class="number" data-title="Took">${ms(span.ms)}</td>
    <td class="lane" aria-hidden="true"><svg width="100%" height="14" preserveAspectRatio="none" viewBox="0 0 1000 14">
      <rect class=${`bar-of ${span.failed ? 'bad' : span.side}`} x=${at(span.offsetMs, total)} y="2" height="10" width=${Math.max(4, at(span.ms, total))} /></svg></td></tr>`;
}

const at = (value: number, total: number) => (total <= 0 ? 0 : Math.min(996, (value / total) * 1_000));

function Details({ span }: { span: TraceSpan }) {
  const event = span.attributes['messaging.message.id'];
  const facts: [string, unknown][] = [
    ['Host', `${span.host} (${span.side})`],
    ['Module', span.module ?? 'the host itself'],
    ['Began', html`<${Time} at=${span.at} />, ${ms(span.offsetMs)} after the first`],
    ...(span.keys.length > 0 ? [['Keys', span.keys.join(', ')] as [string, unknown]] : []),
    ...Object.entries(span.attributes).map(([name, value]): [string, unknown] => [name, String(value)]),
  ];
  return html`<section aria-label="The chosen part"><h2>${span.name}</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="What is known of it"><table class="stack"><caption class="heard">What is known of it</caption>
      <tbody>${facts.map(([name, value]) => html`<tr key=${name}><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table></div>
    ${span.keys.length > 0 ? html`<p class="row">${span.keys.map((key) => html`<a key=${key} href=${href('/traces', { key })}>Traces with ${key}</a>`)}</p>` : null}
    ${event ? html`<p><a href=${href('/events', { key: span.keys[0] })}>Events of this key</a></p>` : null}</section>`;
}
