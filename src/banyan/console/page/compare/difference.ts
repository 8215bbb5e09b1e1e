// What became worse or better from one report to another.
import { Badge, type Tone } from '../kit/badge.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { html } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { type Column, Table } from '../kit/table.ts';

interface Change {
  readonly id: string;
  readonly title: string;
  readonly what: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  readonly factor: number;
  readonly verdict: string;
}

interface Diff {
  readonly threshold: number;
  readonly notComparable: readonly string[];
  readonly changes: readonly Change[];
  readonly missing: readonly string[];
  readonly worse: number;
  readonly better: number;
}

const TONES: Readonly<Record<string, Tone>> = { worse: 'bad', better: 'good' };
const digits = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });

const columns: readonly Column<Change>[] = [
  { title: 'Figure', head: true, cell: ({ title, what }) => `${title}, ${what}` },
  { title: 'Before', number: true, cell: (one) => withUnit(one, one.before) },
  { title: 'After', number: true, cell: (one) => withUnit(one, one.after) },
  { title: 'Times', number: true, cell: ({ factor }) => digits.format(factor) },
  {
    title: 'Verdict',
    cell: ({ verdict }) => html`<${Badge} tone=${TONES[verdict] ?? 'plain'}>${verdict}<//>`,
  },
];

const withUnit = ({ unit, what }: Change, value: number) =>
  what === 'B / A' ? `${digits.format(value)} ×` : `${digits.format(value)} ${unit}`;

export function Difference({ old, now }: { old: string; now: string }) {
  const { data, problem, loading, reload } = useResource<Diff>(`/admin/compares/${now}/diff?old=${old}`);
  if (loading) return html`<${Loading} what="Comparing the two reports" />`;
  if (problem || !data) return html`<${ProblemBox} problem=${problem} again=${reload} />`;
  return html`<p><strong>${data.worse} worse, ${data.better} better</strong> by more than ${Math.round((data.threshold - 1) * 100)} %.
      ${data.notComparable.length > 0 ? html` <span class="quiet">The sides themselves are not compared: ${data.notComparable.join(', ')} differ.</span>` : null}</p>
    ${data.changes.length === 0 ? html`<${Empty} title="The two have no figure in common." />` : html`<${Table} caption="The difference of the two reports" columns=${columns} rows=${data.changes} keyOf=${({ id, what }: Change) => `${id} ${what}`} />`}
    ${data.missing.length > 0 ? html`<p class="quiet">In one of the two alone: ${data.missing.join(', ')}.</p>` : null}`;
}
