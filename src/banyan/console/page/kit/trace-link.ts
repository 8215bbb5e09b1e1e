// The way to a trace, by the traceparent that something has. Where the system keeps no traces its id is shown alone.
import { html } from './html.ts';
import { href } from './router.ts';
import { system } from './system.ts';

export function TraceLink({ traceparent }: { traceparent: string | null }) {
  const id = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1];
  if (!id) return html`<span class="quiet">–</span>`;
  return system.has.traces
    ? html`<a class="mono" href=${href(`/traces/${id}`)} title=${id}>${id.slice(0, 8)}…</a>`
    : html`<code>${id}</code>`;
}
