// The traces that hosts know, newest first. Looking at them is what has them kept.
import type { Traces } from '../../../admin/traces-contract.ts';
import { Badge } from '../kit/badge.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { ms } from '../kit/figures.ts';
import { asked, Box, Choice, FilterBar, named, Words } from '../kit/filters.ts';
import { html } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href, query } from '../kit/router.ts';
import { SagaLink } from '../kit/saga-link.ts';
import { system } from '../kit/system.ts';
import { type Column, Table } from '../kit/table.ts';
import { Time } from '../kit/time.ts';
import { Silent } from './silent.ts';

export const title = 'Traces';

type Item = Traces['items'][number];

const WHY = { failed: 'it failed', slow: 'slower than 99 of 100', sampled: 'one in 100' } as const;

const columns: readonly Column<Item>[] = [
  {
    title: 'Request',
    head: true,
    cell: ({ trace, name }) => html`<a href=${href(`/traces/${trace}`)}>${name}</a>`,
  },
  {
    title: 'Result',
    cell: ({ failed }) => html`<${Badge} tone=${failed ? 'bad' : 'good'}>${failed ? 'failed' : 'ok'}<//>`,
  },
  { title: 'Took', number: true, cell: (one) => ms(one.ms) },
  { title: 'Spans', number: true, cell: ({ spans }) => spans },
  { title: 'Modules', cell: ({ modules }) => modules.join(', ') },
  {
    title: 'Kept because',
    cell: ({ kept }) => (kept ? WHY[kept] : html`<span class="quiet">the last minute</span>`),
  },
  { title: 'At', cell: ({ at }) => html`<${Time} at=${at} />` },
];

export default function Page() {
  const path = `/admin/traces${asked(['module', 'min', 'failed', 'key'])}`;
  const { data, problem, loading, reload } = useResource<Traces>(path, { everyMs: 3_000 });
  const { key } = query.value;
  return html`
    <p class="quiet">How single requests went through gateway, calls, outbox, log and consumers. Kept are those that failed, those that were slow and one in 100; all others can be seen for a minute.
      ${data ? html` Recorded until <${Time} at=${data.recordingUntil} />, and longer while this page is open.` : null}</p>
    <${FilterBar} names=${['key', 'module', 'min', 'failed']}>
      <${Words} label="Key, id or trace" name="key" placeholder="an id, as it stands in a URL or event" />
      <${Choice} label="Module" name="module" value=${query.value.module ?? ''} options=${named(system.modules)} />
      <${Words} label="At least (ms)" name="min" type="number" />
      <${Box} label="Failed only" name="failed" />
    <//>
    ${key ? html`<p class="links"><${SagaLink} id=${key} /></p>` : null}
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${data ? html`<${Silent} hosts=${data.silent} />` : null}
    ${loading ? html`<${Loading} what="Asking all hosts" />` : null}
    ${
      data && data.items.length === 0
        ? html`<${Empty} title=${key ? `No trace with “${key}” is known.` : 'No trace is known yet.'}>
            ${key ? 'It may be older than what is kept, or nobody was looking at traces when it happened.' : 'Recording has begun: what is asked of the product from now on is shown here.'}<//>`
        : null
    }
    ${data && data.items.length > 0 ? html`<${Table} caption="Traces" columns=${columns} rows=${data.items} keyOf=${(one: Item) => one.trace} />` : null}
    ${data && data.found > data.items.length ? html`<p class="quiet">${data.items.length} of ${data.found} are shown.</p>` : null}`;
}
