// Hosts that did not say what they know: what they have of a trace is not shown.
import { html } from '../kit/html.ts';

export function Silent({ hosts }: { hosts: readonly { readonly id: string; readonly reason: string }[] }) {
  if (hosts.length === 0) return null;
  return html`<p class="notice">Not answered: ${hosts.map(({ id, reason }) => `${id} (${reason})`).join('; ')}. What these hosts know is missing here.</p>`;
}
