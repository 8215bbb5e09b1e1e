// What is said where nothing is: that nothing is there, why, and what would bring something.
import { html } from './html.ts';

export function Empty({ title, children }: { title: string; children?: unknown }) {
  return html`<div class="empty"><p>${title}</p>${children ? html`<div class="quiet">${children}</div>` : null}</div>`;
}

/** While the first answer is on its way. */
export function Loading({ what = 'Loading' }: { what?: string }) {
  return html`<p class="quiet" role="status">${what}…</p>`;
}
