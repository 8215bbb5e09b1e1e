// Events as they arrive in the log, newest first; the last hundred. It asks again and again while somebody looks, and stops
// when told to.
import type { Tailed } from '../../../events/operations/schemas.ts';
import { get } from '../kit/api.ts';
import { Badge } from '../kit/badge.ts';
import { Empty } from '../kit/empty.ts';
import { effect, html, useEffect, useState } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { href, query } from '../kit/router.ts';
import { may, whyNot } from '../kit/system.ts';
import { type Column, Table } from '../kit/table.ts';
import { Time } from '../kit/time.ts';
import { visible } from '../kit/visible.ts';

type Item = Tailed['items'][number];

const MOST = 100;
const WAIT_MS = 8_000;
const AFTER_FAILURE_MS = 3_000;

const columns: readonly Column<Item>[] = [
  { title: 'At', cell: ({ at }) => html`<${Time} at=${at} />` },
  { title: 'Event', head: true, cell: ({ type }) => type },
  {
    title: 'Key',
    cell: ({ key }) => html`<a class="mono" href=${href('/events', { ...query.value, key })}>${key}</a>`,
  },
  { title: 'No.', number: true, cell: ({ sequence }) => sequence ?? '–' },
  {
    title: 'Trace',
    cell: ({ traceparent }) =>
      traceparent
        ? html`<a href=${href(`/traces/${traceparent.slice(3, 35)}`)}>trace</a>`
        : html`<span class="quiet">–</span>`,
  },
  {
    title: 'Data',
    cell: ({ data, wrong }) =>
      wrong
        ? html`<${Badge} tone="bad">${wrong}<//>`
        : html`<details><summary>Show</summary><pre>${JSON.stringify(data, null, 2)}</pre></details>`,
  },
];

export function Tail() {
  const { module, type, key } = query.value;
  const [items, setItems] = useState<readonly Item[]>([]);
  const [problem, setProblem] = useState<unknown>(undefined);
  const [paused, setPaused] = useState(false);
  const allowed = may('events');
  useEffect(() => {
    setItems([]);
    if (paused || !allowed) return undefined;
    return follow(
      module,
      (some) => setItems((before) => [...some.toReversed(), ...before].slice(0, MOST)),
      setProblem,
    );
  }, [module, paused, allowed]);
  if (!allowed) return html`<p class="notice">${whyNot('events')}</p>`;
  const shown = items.filter((one) => (!type || one.type === type) && (!key || one.key === key));
  return html`<p class="row"><${Badge} tone=${paused ? 'plain' : 'busy'}>${paused ? 'paused' : 'listening'}<//>
      <button type="button" class="small" onClick=${() => setPaused(!paused)}>${paused ? 'Listen' : 'Pause'}</button></p>
    ${problem ? html`<${ProblemBox} problem=${problem} />` : null}
    ${
      shown.length === 0
        ? html`<${Empty} title="Nothing has arrived yet.">Events that are published from now on are shown here.<//>`
        : html`<${Table} caption="Events as they arrive" columns=${columns} rows=${shown} keyOf=${(one: Item) => `${one.topic}.${one.partition}.${one.offset}`} />`
    }`;
}

/** Answers how to stop it. */
function follow(
  module: string | undefined,
  hear: (some: readonly Item[]) => void,
  fail: (problem: unknown) => void,
): () => void {
  let ended = false;
  let cursor: string | undefined;
  let asking: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const round = async () => {
    const own = new AbortController();
    asking = own;
    const search = new URLSearchParams({ waitMs: String(WAIT_MS), limit: String(MOST) });
    if (module) search.set('topic', `${module}.events`);
    if (cursor) search.set('cursor', cursor);
    try {
      const { items, nextCursor } = await get<Tailed>(`/admin/events/tail?${search}`, own.signal);
      cursor = nextCursor;
      fail(undefined);
      if (items.length > 0) hear(items);
      next(0);
    } catch (problem) {
      if (own.signal.aborted) return;
      fail(problem);
      next(AFTER_FAILURE_MS);
    }
  };
  const next = (ms: number) => {
    if (!ended && visible.peek()) timer = setTimeout(round, ms);
  };
  const stop = effect(() => {
    clearTimeout(timer);
    asking?.abort();
    if (visible.value && !ended) timer = setTimeout(round, 0);
  });
  return () => {
    ended = true;
    stop();
    clearTimeout(timer);
    asking?.abort();
  };
}
