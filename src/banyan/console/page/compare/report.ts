// One comparison: what it does while it runs, and its report.
import type { Comparison } from '../../../admin/comparisons-contract.ts';
import { Act, Lacks } from '../kit/act.ts';
import { send, urlOf } from '../kit/api.ts';
import { Command } from '../kit/command.ts';
import { Confirm } from '../kit/confirm.ts';
import { Loading } from '../kit/empty.ts';
import { html, useState } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href } from '../kit/router.ts';
import { Time } from '../kit/time.ts';
import { StateBadge } from './state.ts';

export const title = 'Comparison';

export default function Page({ params }: { params: Readonly<Record<string, string>> }) {
  const [done, setDone] = useState(false);
  const path = `/admin/compares/${encodeURIComponent(params.id!)}`;
  const { data, problem, loading, reload } = useResource<Comparison>(path, done ? {} : { everyMs: 1_000 });
  const [cancelling, setCancelling] = useState(false);
  if (data && data.state !== 'running' && !done) setDone(true);
  const page = urlOf(`/compares/${encodeURIComponent(params.id!)}/page`);
  if (loading) return html`<${Loading} />`;
  if (!data)
    return html`<p><a href=${href('/compare')}>All comparisons</a></p><${ProblemBox} problem=${problem} again=${reload} />`;
  return html`
    <p><a href=${href('/compare')}>All comparisons</a></p>
    ${problem ? html`<${ProblemBox} problem=${problem} />` : null}
    <div class="row"><${StateBadge} state=${data.state} />
      <span>started <${Time} at=${data.startedAt} />${data.startedBy ? ` by ${data.startedBy}` : ''}${data.host ? ` on ${data.host}` : ''}</span>
      ${data.endedAt && data.state !== 'running' ? html`<span>ended <${Time} at=${data.endedAt} /></span>` : null}
      ${data.state === 'running' ? html`<${Act} needs="compare" class="danger" onClick=${() => setCancelling(true)}>Cancel comparison…<//>` : null}
      ${data.hasReport ? html`<a href=${urlOf(`${path}/report`)} download=${`${data.id}.json`}>Download JSON</a>` : null}</div>
    ${data.state === 'running' ? html`<${Lacks} needs="compare" />` : null}
    ${data.finding ? html`<p><strong>${data.finding}</strong></p>` : null}
    <div><span class="label">The same in a terminal</span><${Command} text=${data.command} /></div>
    ${
      data.lines.length > 0 && !data.hasReport
        ? html`<h2>What it ${data.state === 'running' ? 'does' : 'did'}</h2><ol class="said" aria-live="off">${data.lines.map(({ at, text }, index) => html`<li key=${index}><${Time} at=${at} /> ${text}</li>`)}</ol>`
        : null
    }
    ${data.state === 'running' && data.lines.length === 0 ? html`<${Loading} what="It begins" />` : null}
    ${data.hasReport ? html`<iframe class="report" title="The report" sandbox="allow-scripts" src=${page}></iframe><p class="printed">The report prints from its own page: ${page}</p>` : null}
    ${
      cancelling
        ? html`<${Confirm} title="End this comparison?" button="End it" needs="compare" dangerous=${true} onConfirm=${() => send('DELETE', path).then(reload)} onClose=${() => setCancelling(false)}>
            <p>What it measured so far is lost. Its processes end; nothing else is touched.</p><//>`
        : null
    }`;
}
