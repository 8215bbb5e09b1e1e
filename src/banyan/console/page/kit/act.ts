// A button that changes something. Where the token of who is signed in lacks the scope it is off and says which one is needed;
// `Lacks` says the same in a sentence, once for a section, for those whom a button that is off tells nothing.
import type { Scope } from '../../../context/scopes.ts';
import { html } from './html.ts';
import { may, whyNot } from './system.ts';

/** A scope, or any of several. */
export type Needs = Scope | readonly Scope[];

interface ActProps {
  readonly needs: Needs;
  readonly onClick: () => void;
  readonly class?: string;
  /** It is off for another reason, which `title` says. */
  readonly disabled?: boolean;
  readonly title?: string | undefined;
  readonly 'aria-label'?: string;
  readonly children?: unknown;
}

export function Act({ needs, disabled = false, title, children, ...others }: ActProps) {
  const lacks = may(needs) ? undefined : whyNot(needs);
  return html`<button type="button" ...${others} disabled=${disabled || lacks !== undefined} title=${lacks ?? title} aria-description=${lacks}>${children}</button>`;
}

export function Lacks({ needs }: { needs: Needs }) {
  return may(needs) ? null : html`<p class="lacks quiet">${whyNot(needs)}</p>`;
}
