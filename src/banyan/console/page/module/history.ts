// How a module came to serve where it does: every change, with what failed while it was under way, and every process that ended
// without a drain; newest first.
import type { Change, End } from '../../../placement/history-contract.ts';
import { servesInWords } from '../../shared/words.ts';
import { html } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import type { Resource } from '../kit/resource.ts';
import { href } from '../kit/router.ts';
import { Table } from '../kit/table.ts';
import { Time } from '../kit/time.ts';
import { flipWords, plural } from '../kit/words.ts';
import { endInWords, type Past, pastOf, type Told } from './past.ts';

export function History({ name, past: { data, problem, reload } }: { name: string; past: Resource<Past> }) {
  return html`<h2>History</h2>
    <p class="quiet">Of where it serves. What else was done to it (its processes, store, events, sagas): <a href=${href('/audit', { module: name })}>the audit of ${name}</a>.</p>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${
      data
        ? html`<${Table} caption="History" rows=${pastOf(data)} keyOf=${({ at, key }: Told) => `${at} ${key}`} columns=${[
            { title: 'When', head: true, cell: ({ at }: Told) => html`<${Time} at=${at} />` },
            { title: 'From', cell: ({ change }: Told) => change?.from ?? '–' },
            { title: 'To', cell: ({ change }: Told) => (change ? toOf(change) : '–') },
            { title: 'By', cell: ({ change }: Told) => (change ? byOf(change) : '–') },
            { title: 'Why', cell: ({ change, end }: Told) => (change ? whyOf(change) : endInWords(end!)) },
          ]} />`
        : null
    }`;
}

const toOf = ({ to, percent }: Change) => servesInWords({ placement: to, percent });
const byOf = ({ by, actor }: Change) => (actor === 'judge' ? `the judge, ${by}` : by);
const whyOf = ({ reason, failed }: Change) =>
  [reason, failed === null ? undefined : flipWords({ failed })].filter(Boolean).join('; ');

/** Beside the processes that are there: those that are not any more. */
export function Ended({ ended }: { ended: readonly End[] }) {
  const [last] = ended;
  if (!last) return null;
  const often =
    ended.length === 1 ? '' : ` ${plural(ended.length, 'process')} ended so; they stand in the history.`;
  return html`<p class="quiet">${endInWords(last)}, <${Time} at=${last.at} />.${often}</p>`;
}
