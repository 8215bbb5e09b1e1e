// Comparisons of both architectures: those there were, the one that runs, and a new one.
import type { Comparison } from '../../../admin/comparisons-contract.ts';
import { Act, Lacks } from '../kit/act.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { html, useState } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href, navigate, query, setQuery } from '../kit/router.ts';
import { type Column, Table } from '../kit/table.ts';
import { Time } from '../kit/time.ts';
import { Difference } from './difference.ts';
import { Start } from './start.ts';
import { StateBadge } from './state.ts';

export const title = 'Compare';

interface List {
  readonly works: string[];
  readonly items: Comparison[];
}

export default function Page() {
  const { data, problem, loading, reload } = useResource<List>('/admin/compares', { everyMs: 2_000 });
  const [starting, setStarting] = useState(false);
  const { old, now } = query.value;
  const running = data?.items.find(({ state }) => state === 'running');
  const reports = data?.items.filter(({ hasReport }) => hasReport) ?? [];
  return html`
    <p class="quiet">Both architectures do the same work in processes of their own, and are measured side by side. What runs here is not touched, but shares the machine: numbers of a busy machine are rough.</p>
    <div class="row"><${Act} needs="compare" class="primary" disabled=${running !== undefined} onClick=${() => setStarting(true)}>Start a comparison…<//>
      ${running ? html`<span>One runs: <a href=${href(`/compare/${running.id}`)}>see what it does</a>. There is one at a time.</span>` : null}</div>
    <${Lacks} needs="compare" />
    ${starting && data ? html`<${Start} works=${data.works} onClose=${() => setStarting(false)} onStarted=${({ id }: Comparison) => navigate(href(`/compare/${id}`))} />` : null}
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${loading ? html`<${Loading} />` : null}
    <h2>Reports</h2>
    ${data && data.items.length === 0 ? html`<${Empty} title="No comparison was made yet.">The shortest takes under a minute.<//>` : null}
    ${data && data.items.length > 0 ? html`<${Table} caption="Comparisons" columns=${columns} rows=${data.items} keyOf=${({ id }: Comparison) => id} />` : null}
    ${
      reports.length >= 2
        ? html`<h2>The difference of two</h2>
        <div class="bar"><${Pick} label="Older" name="old" reports=${reports} /><${Pick} label="Newer" name="now" reports=${reports} /></div>
        ${old && now && old !== now ? html`<${Difference} old=${old} now=${now} />` : html`<p class="quiet">Choose two reports of the same work and shapes.</p>`}`
        : null
    }`;
}

const columns: readonly Column<Comparison>[] = [
  {
    title: 'Started',
    head: true,
    cell: ({ id, startedAt }) =>
      html`<a class="short" href=${href(`/compare/${id}`)}><${Time} at=${startedAt} /></a>`,
  },
  { title: 'State', cell: ({ state }) => html`<${StateBadge} state=${state} />` },
  { title: 'Shapes', cell: ({ asked }) => shapesOf(asked) },
  { title: 'Work', cell: ({ asked }) => html`<span class="short">${String(asked.work ?? 'mixed')}</span>` },
  { title: 'By', cell: ({ startedBy, from }) => startedBy ?? (from === 'folder' ? 'the command line' : '–') },
  { title: 'Found', cell: ({ finding }) => finding ?? html`<span class="quiet">–</span>` },
];

function shapesOf({ a, b, self }: Comparison['asked']): string {
  const one = String(a || 'monolith');
  return self ? `${one} against itself` : `${one} and ${String(b || 'services')}`;
}

function Pick({ label, name, reports }: { label: string; name: string; reports: readonly Comparison[] }) {
  const take = (event: Event) => setQuery({ [name]: (event.target as HTMLSelectElement).value });
  return html`<label>${label}<select name=${name} value=${query.value[name] ?? ''} onChange=${take}><option value="">Choose</option>
    ${reports.map(({ id, startedAt, asked }) => html`<option key=${id} value=${id}>${new Date(startedAt).toLocaleString()}, ${shapesOf(asked)}</option>`)}</select></label>`;
}
