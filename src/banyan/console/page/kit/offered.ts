// Whether anything can be asked of the host now: while it does not answer, what is shown may not be so any more, and nothing is offered.
import { html } from './html.ts';
import { connection } from './live.ts';

export const isAway = (): boolean => connection.value.state === 'lost';

export const WHILE_AWAY = 'The host does not answer. Nothing can be moved until it does.';

/** Above a view that shows what was. */
export function Away() {
  if (!isAway()) return null;
  return html`<p class="notice" role="status">${WHILE_AWAY} What is shown is what it said last.</p>`;
}
