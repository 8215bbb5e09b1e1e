// Every change that somebody made, newest first, by time, actor and reason.
import type { Audit, AuditEntry, AuditSource } from '../../../admin/audit-contract.ts';
import { urlOf } from '../kit/api.ts';
import { Badge } from '../kit/badge.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { asked, Choice, FilterBar, named, Words } from '../kit/filters.ts';
import { html } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href, query } from '../kit/router.ts';
import { system } from '../kit/system.ts';
import { type Column, Table } from '../kit/table.ts';
import { Time } from '../kit/time.ts';

export const title = 'Audit';

const FILTERS = ['actor', 'module', 'source', 'cursor'];

/** What was changed, as the host calls it and as people do. */
const KINDS: readonly (readonly [AuditSource | '', string])[] = [
  ['', 'All'],
  ['placement', 'Placements'],
  ['ladder', 'Ladders'],
  ['store', 'Stores'],
  ['event', 'Events and letters'],
  ['saga', 'Sagas'],
  ['operator', 'Operators'],
  ['key', 'Keys'],
  ['service', 'Processes'],
  ['comparison', 'Comparisons'],
];

const columns: readonly Column<AuditEntry>[] = [
  { title: 'At', cell: ({ at }) => html`<span class="short"><${Time} at=${at} /></span>` },
  {
    title: 'Who',
    cell: ({ by, actor }) =>
      actor === 'operator'
        ? (by ?? 'unknown')
        : html`${by ?? ''} <${Badge}>${actor === 'judge' ? 'by evidence' : 'the host itself'}<//>`,
  },
  {
    title: 'Module',
    cell: ({ module }) =>
      module
        ? html`<a class="short" href=${href(`/modules/${module}`)}>${module}</a>`
        : html`<span class="quiet">–</span>`,
  },
  { title: 'What', head: true, cell: (one) => html`<${What} one=${one} />` },
  { title: 'Why', cell: ({ reason }) => reason ?? html`<span class="quiet">–</span>` },
  {
    title: 'Details',
    cell: ({ detail }) =>
      detail && Object.keys(detail).length > 0
        ? html`<details><summary>Show</summary><pre>${JSON.stringify(detail, null, 2)}</pre></details>`
        : html`<span class="quiet">–</span>`,
  },
];

/** An event or a saga by its id leads to it. One that was published lies at its consumers, and not at the module of the row. */
function What({ one: { what, source, module } }: { one: AuditEntry }) {
  const at = what.search(ID);
  const id = ID.exec(what)?.[0];
  const isThere = source === 'event' ? system.has.letters : source === 'saga' && system.has.sagas;
  if (id === undefined || !isThere) return html`${what}`;
  const of = module ?? undefined;
  const to =
    source === 'saga'
      ? href(`/sagas/${id}`, { of: system.sagas.length > 1 ? of : undefined })
      : href(`/dead/${id}`, { module: what.startsWith('published') ? undefined : of });
  return html`${what.slice(0, at)}<a class="mono" href=${to}>${id}</a>${what.slice(at + id.length)}`;
}

const ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

export default function Page() {
  const times = { ...timeOf('from'), ...timeOf('to') };
  const path = `/admin/audit${asked(FILTERS, { limit: '50', ...times })}`;
  const { data, problem, loading, reload } = useResource<Audit>(path);
  const filtered = [...FILTERS, 'from', 'to'].some((name) => query.value[name]);
  const beside = html`${filtered ? html`<a href=${href('/audit')}>Show all</a>` : null}
    <a href=${urlOf(`/admin/audit${asked(FILTERS, { limit: '100', ...times })}`)} download="audit.json">Download JSON</a>`;
  return html`
    <p class="quiet">Who changed what, and why: placements, ladders, processes, stores, events, sagas, operators, keys and comparisons. Who only tried, or looked, is in the security log: <code>security.jsonl</code> in the data folder of each host, or where <code>SECURITY_LOG</code> says.</p>
    <${FilterBar} names=${['actor', 'source', 'module', 'from', 'to']} beside=${beside}>
      <${Words} label="Who" name="actor" placeholder="a part of the name" />
      <${Choice} label="Kind" name="source" value=${query.value.source ?? ''} options=${KINDS} />
      <${Choice} label="Module" name="module" value=${query.value.module ?? ''} options=${named(system.modules)} />
      <${Words} label="From" name="from" type="datetime-local" />
      <${Words} label="To" name="to" type="datetime-local" />
    <//>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${data && data.silent.length > 0 ? html`<p class="notice">The stores of ${data.silent.join(', ')} ${system.gateway ? 'are not this gateway’s to ask' : 'do not answer'}: what they know is missing here.</p>` : null}
    ${loading ? html`<${Loading} />` : null}
    ${data && data.items.length === 0 ? html`<${Empty} title=${filtered ? 'Nothing of that kind was changed.' : 'Nothing was changed yet.'} />` : null}
    ${data && data.items.length > 0 ? html`<${Table} caption="Changes" columns=${columns} rows=${data.items} keyOf=${({ id }: AuditEntry) => id} />` : null}
    <p class="row">
      ${query.value.cursor ? html`<a href=${href('/audit', { ...query.value, cursor: undefined })}>The newest</a>` : null}
      ${data?.nextCursor ? html`<a href=${href('/audit', { ...query.value, cursor: data.nextCursor })}>Earlier</a>` : null}
    </p>`;
}

/** The field says it in this browser's time. */
function timeOf(name: string): Record<string, string> {
  const value = query.value[name];
  const at = value ? new Date(value) : undefined;
  return at && !Number.isNaN(at.getTime()) ? { [name]: at.toISOString() } : {};
}
