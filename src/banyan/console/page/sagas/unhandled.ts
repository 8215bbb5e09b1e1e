// Events of a saga's key that a module could not handle, or has not handled yet: asked by the key, however many letters there
// are.
import { Badge } from '../kit/badge.ts';
import { html } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href } from '../kit/router.ts';
import { may, system } from '../kit/system.ts';
import { Table } from '../kit/table.ts';
import { Ago } from '../kit/time.ts';

/** What keys that do not go on and letters have in common. */
export interface Letter {
  readonly module: string;
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly reason: string | null;
  readonly since: string;
  /** Later events of the key that wait for it. */
  readonly behind: number;
}

export interface Unhandled {
  /** The answers are on their way. */
  readonly loading: boolean;
  /** Those at which the key stands, first; undefined: it is not known. */
  readonly letters: readonly Letter[] | undefined;
  readonly problem: unknown;
}

const placeOf = ({ module, id }: Letter) => `${module} ${id}`;

export function useUnhandled(key: string): Unhandled {
  const shown = system.has.letters && may(['read', 'events']);
  const asks = (path: string, more: Readonly<Record<string, string>> = {}) =>
    useResource<{ items: readonly Letter[] }>(
      shown ? `/admin/events/${path}?${new URLSearchParams({ key, ...more })}` : null,
      { everyMs: 5_000 },
    );
  const all = [asks('held'), asks('dead', { state: 'waiting' }), asks('dead', { state: 'dead' })];
  const problem = all.find((one) => one.problem !== undefined)?.problem;
  const loading = all.some((one) => one.loading);
  if (all.some(({ data }) => data === undefined)) return { loading, letters: undefined, problem };
  const letters = new Map(all.flatMap(({ data }) => data!.items.map((one) => [placeOf(one), one] as const)));
  return { loading, letters: [...letters.values()], problem };
}

export function Letters({ unhandled: { letters, problem } }: { unhandled: Unhandled }) {
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
    ${problem ? html`<${ProblemBox} problem=${problem} />` : null}
    ${letters === undefined || letters.length > 0 ? null : html`<p class="quiet">None: every event of this key was handled.</p>`}
    ${letters && letters.length > 0 ? html`<${Table} caption="Events of this saga that were not handled" columns=${columns} rows=${letters} keyOf=${placeOf} />` : null}`;
}
