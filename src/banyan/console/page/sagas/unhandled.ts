// Events of sagas' keys that a module could not handle, has not handled yet, or was not to handle: asked by the keys, however many
// letters there are.

import type { Unhandled } from '../../shared/held.ts';
import { Badge, type Tone } from '../kit/badge.ts';
import { html, useRef } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href } from '../kit/router.ts';
import { may, system } from '../kit/system.ts';
import { Table } from '../kit/table.ts';
import { Ago } from '../kit/time.ts';

export interface Unhandleds {
  /** The answer is on its way. */
  readonly loading: boolean;
  /** Those that do not go on by themselves first; undefined: it is not known. */
  readonly events: readonly Unhandled[] | undefined;
  readonly problem: unknown;
}

interface Answer {
  readonly items: readonly Unhandled[];
}

/** In a list the last answer stands until that for other keys comes: what is known of a saga does not flicker as others come and go. */
export function useUnhandled(keys: readonly string[]): Unhandleds {
  const shown = keys.length > 0 && system.has.letters && may(['read', 'events']);
  const words = new URLSearchParams({ keys: [...keys].sort().join(',') });
  const asked = useResource<Answer>(shown ? `/admin/events/unhandled?${words}` : null, { everyMs: 5_000 });
  const last = useRef<Answer | undefined>(undefined);
  if (asked.data) last.current = asked.data;
  const before = keys.length > 1 && !asked.problem ? last.current : undefined;
  const events = (asked.data ?? before)?.items;
  return { loading: asked.loading && events === undefined, events, problem: asked.problem };
}

const placeOf = ({ module, id }: Unhandled) => `${module} ${id}`;

const TONES: Readonly<Record<string, Tone>> = { dead: 'bad', dropped: 'plain' };

export function Letters({ unhandled: { events, problem } }: { unhandled: Unhandleds }) {
  const columns = [
    {
      title: 'Event',
      head: true,
      cell: ({ id, type, module }: Unhandled) => html`<a href=${href(`/dead/${id}`, { module })}>${type}</a>`,
    },
    { title: 'At', cell: ({ module }: Unhandled) => html`<span class="letters-line">${module}</span>` },
    {
      title: 'State',
      cell: ({ state }: Unhandled) => html`<${Badge} tone=${TONES[state] ?? 'busy'}>${state}<//>`,
    },
    { title: 'Reason', cell: ({ reason }: Unhandled) => reason ?? '–' },
    { title: 'Since', cell: ({ since }: Unhandled) => html`<${Ago} at=${since} />` },
  ];
  return html`<h2>Events that were not handled</h2>
    ${problem ? html`<${ProblemBox} problem=${problem} />` : null}
    ${events === undefined || events.length > 0 ? null : html`<p class="quiet">None: as far as is kept, every event of this key was handled.</p>`}
    ${events && events.length > 0 ? html`<${Table} caption="Events of this saga that were not handled" columns=${columns} rows=${events} keyOf=${placeOf} />` : null}`;
}
