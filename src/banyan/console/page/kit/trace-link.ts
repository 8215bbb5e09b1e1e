// The way to a trace, by the traceparent that something has. Where the system keeps no traces, or nobody was looking when it
// happened, its id is shown alone: a link would lead to nothing.
import { mayBeKept } from '../../shared/traces-kept.ts';
import { computed, html } from './html.ts';
import { picture } from './live.ts';
import { href } from './router.ts';
import { system } from './system.ts';

interface Props {
  readonly traceparent: string | null;
  /** When the last of it happened, as the host says it; absent: not known. */
  readonly at?: string | undefined;
}

export const traceOf = (traceparent: string | null | undefined): string | undefined =>
  /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1];

/** By itself, so that not every change of the picture draws every link anew. */
const recorded = computed(() => picture.value?.recorded);

export function isKept(at: string | undefined): boolean {
  const when = at === undefined ? Number.NaN : Date.parse(at);
  return mayBeKept(recorded.value, Number.isNaN(when) ? undefined : when, Date.now());
}

export function TraceLink({ traceparent, at }: Props) {
  const id = traceOf(traceparent);
  if (!id) return html`<span class="quiet">–</span>`;
  if (!system.has.traces) return html`<code>${id}</code>`;
  const short = `${id.slice(0, 8)}…`;
  return isKept(at)
    ? html`<a class="mono" href=${href(`/traces/${id}`)} title=${id}>${short}</a>`
    : html`<code title=${`${id}: not kept, nobody was looking at traces`}>${short}</code>`;
}
