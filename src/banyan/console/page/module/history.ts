// How a module came to serve where it does: every change, newest first.
import type { Change } from '../../../placement/history-contract.ts';
import type { PictureModule } from '../../shared/picture-shape.ts';
import { html } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { Table } from '../kit/table.ts';
import { Time } from '../kit/time.ts';
import { flipWords } from '../kit/words.ts';

type Flip = PictureModule['flip'];

/** What the flip of that change came to, where somebody looked. */
function failedOf({ at }: Change, flip: Flip): string | undefined {
  if (!flip?.over || flip.failed === undefined || Math.abs(Date.parse(flip.at) - Date.parse(at)) > 1_000)
    return undefined;
  return flipWords(flip);
}

export function History({ name, flip }: { name: string; flip: Flip }) {
  const { data, problem, reload } = useResource<{ items: readonly Change[] }>(
    `/admin/history?module=${encodeURIComponent(name)}&limit=20`,
    { everyMs: 5_000 },
  );
  return html`<h2>History</h2>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${
      data
        ? html`<${Table} caption="History" rows=${data.items} keyOf=${(one: Change) => `${one.at} ${one.to} ${one.percent}`} columns=${[
            { title: 'When', head: true, cell: ({ at }: Change) => html`<${Time} at=${at} />` },
            { title: 'From', cell: ({ from }: Change) => from ?? '–' },
            { title: 'To', cell: ({ to, percent }: Change) => (to === 'canary' ? `canary ${percent}%` : to) },
            { title: 'By', cell: ({ by, actor }: Change) => (actor === 'judge' ? `the judge, ${by}` : by) },
            {
              title: 'Why',
              cell: (one: Change) => [one.reason, failedOf(one, flip)].filter(Boolean).join('; '),
            },
          ]} />`
        : null
    }`;
}
