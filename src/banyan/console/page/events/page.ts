// The events that there are, who publishes and who listens, how they are doing, and those that arrive now.
import type { EventsOverview } from '../../../events/operations/schemas.ts';
import { Badge } from '../kit/badge.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { Choice, FilterBar, named, Words } from '../kit/filters.ts';
import { html } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href, query } from '../kit/router.ts';
import { system } from '../kit/system.ts';
import { type Column, Table } from '../kit/table.ts';
import { lasting } from '../kit/time.ts';
import { type Known, Schema } from './schema.ts';
import { Tail } from './tail.ts';

export const title = 'Events';

type Module = EventsOverview['modules'][number];

const flow: readonly Column<Module>[] = [
  {
    title: 'Module',
    head: true,
    cell: ({ module }) => html`<a href=${href(`/modules/${module}`)}>${module}</a>`,
  },
  { title: 'State', cell: (one) => html`<${State} of=${one} />` },
  { title: 'Outbox', number: true, cell: ({ outbox }) => outbox.waiting },
  {
    title: 'Oldest in it',
    number: true,
    cell: ({ outbox }) => (outbox.waiting > 0 ? lasting(outbox.oldestSeconds * 1_000) : '–'),
  },
  { title: 'Sent a second', number: true, cell: ({ relay }) => relay.perSecond.toFixed(1) },
  { title: 'Sent by', cell: ({ relay }) => relay.holder ?? html`<span class="quiet">nobody</span>` },
  { title: 'Unread', number: true, cell: ({ lag }) => (lag ? lag.events : 'unknown') },
  {
    title: 'Oldest unread',
    number: true,
    cell: ({ lag }) => (lag?.seconds ? lasting(lag.seconds * 1_000) : '–'),
  },
  { title: 'Retrying', number: true, cell: ({ deliveries }) => deliveries.waiting },
  {
    title: 'Dead',
    number: true,
    cell: ({ module, deliveries }) =>
      deliveries.dead > 0 ? html`<a href=${href('/dead', { module })}>${deliveries.dead}</a>` : 0,
  },
];

const kinds: readonly Column<Known>[] = [
  {
    title: 'Event',
    head: true,
    cell: ({ type }) => html`<a href=${href('/events', { ...query.value, type })}>${type}</a>`,
  },
  { title: 'Published by', cell: ({ module }) => module },
  {
    title: 'Heard by',
    cell: ({ listeners }) =>
      listeners === null ? 'unknown here' : listeners.join(', ') || html`<span class="quiet">nobody</span>`,
  },
  { title: 'Version', number: true, cell: ({ version }) => version },
  { title: 'Ordered by', cell: ({ key }) => html`<code>${key}</code>` },
  { title: 'What it says', cell: ({ summary }) => summary },
];

export default function Page() {
  const { module, type } = query.value;
  const overview = useResource<EventsOverview>('/admin/events', { everyMs: 3_000 });
  const catalogue = useResource<{ items: Known[] }>('/admin/events/catalogue');
  const isAsked = (one: Known) =>
    (!module || one.module === module || (one.listeners ?? []).includes(module)) &&
    (!type || one.type === type);
  const known = (catalogue.data?.items ?? []).filter(isAsked);
  const types = (catalogue.data?.items ?? []).map((one) => one.type);
  return html`
    <${FilterBar} names=${['module', 'type', 'key']} beside=${module || type || query.value.key ? html`<a href=${href('/events')}>Show all</a>` : null}>
      <${Choice} label="Module" name="module" value=${query.value.module ?? ''} options=${named(system.modules)} />
      <${Choice} label="Event" name="type" value=${query.value.type ?? ''} options=${named(types)} />
      <${Words} label="Key" name="key" placeholder="in the tail below" />
    <//>
    <h2>How they are doing</h2>
    ${overview.problem ? html`<${ProblemBox} problem=${overview.problem} again=${overview.reload} />` : null}
    ${overview.loading ? html`<${Loading} />` : null}
    ${
      overview.data
        ? html`<p class="quiet">The log is ${overview.data.log.kind === 'kafka' ? 'Kafka' : 'in PostgreSQL'}${overview.data.log.reachable ? '' : ', and does not answer'}.</p>
          <${Table} caption="How the events of each module are doing" columns=${flow} rows=${overview.data.modules.filter((one) => !module || one.module === module)} keyOf=${(one: Module) => one.module} />`
        : null
    }
    <h2>Who publishes, who listens</h2>
    ${catalogue.problem ? html`<${ProblemBox} problem=${catalogue.problem} again=${catalogue.reload} />` : null}
    ${catalogue.data && known.length === 0 ? html`<${Empty} title="No event of that kind." />` : null}
    ${known.length > 0 ? html`<${Table} caption="The catalogue of events" columns=${kinds} rows=${known} keyOf=${(one: Known) => one.type} />` : null}
    ${type && known.length === 1 ? html`<${Schema} event=${known[0]} />` : null}
    <h2>As they arrive</h2>
    <${Tail} />`;
}

function State({ of: { relay, lag, deliveries, parked, refused, heldKeys, outbox } }: { of: Module }) {
  if (refused.length > 0)
    return html`<${Badge} tone="bad" title=${refused[0]!.reason}>refused by the log<//>`;
  if (parked.length > 0)
    return html`<${Badge} tone="bad" title=${parked[0]!.reason}>stands before what it cannot read<//>`;
  if (deliveries.dead > 0) return html`<${Badge} tone="bad">dead letters, ${heldKeys} keys held<//>`;
  if (lag === null) return html`<${Badge} tone="warn">the log does not answer<//>`;
  if (relay.holder === null && outbox.waiting > 0) return html`<${Badge} tone="warn">nobody sends<//>`;
  if (deliveries.waiting > 0) return html`<${Badge} tone="warn">tries again<//>`;
  return html`<${Badge} tone="good">flows<//>`;
}
