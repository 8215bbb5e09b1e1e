// What holds a saga: an event of its key that a module could not handle, or cannot handle yet, with the way to it; of one that is
// past its time else the module whose turn it is, and what is wrong with that.
import { adviceOf, heldInWords, holderOf, type Unhandled } from '../../shared/held.ts';
import { Badge } from '../kit/badge.ts';
import { html } from '../kit/html.ts';
import { href } from '../kit/router.ts';
import { system } from '../kit/system.ts';
import { Ago } from '../kit/time.ts';
import { plural } from '../kit/words.ts';
import { wrongOf } from '../kit/wrong.ts';
import type { Shown } from './shape.ts';
import type { Unhandleds } from './unhandled.ts';

interface HolderProps {
  /** Whose saga it is. */
  readonly module: string;
  readonly saga: Shown;
  readonly unhandled: Unhandleds;
}

export function Holder({ module, saga, unhandled: { loading, events } }: HolderProps) {
  const { state, style, by, step } = saga;
  const holding = (events ?? []).filter((one) => holderOf(state, [one]));
  if (holding.length === 0 && (state !== 'stuck' || loading)) return null;
  return html`<section class="notice" aria-label="What holds it">
    ${holding.length > 0 ? holding.map((one) => html`<${Held} key=${`${one.module} ${one.id}`} one=${one} style=${style} />`) : html`<${Turn} module=${by ?? module} step=${step} isKnown=${events !== undefined} />`}
  </section>`;
}

/** The sentence, which leads to the event. */
export const Cause = ({ one }: { one: Unhandled }) =>
  html`<a href=${href(`/dead/${one.id}`, { module: one.module })}>${heldInWords(one)}</a>`;

function Held({ one, style }: { one: Unhandled; style: string }) {
  const { behind, since } = one;
  return html`<p><strong><${Cause} one=${one} /></strong> <span class="quiet"><${Ago} at=${since} /></span></p>
    <p class="quiet">${adviceOf(style, one)}${behind > 0 ? ` ${plural(behind, 'event')} of the same key behind it.` : ''}</p>`;
}

interface TurnProps {
  readonly module: string;
  readonly step: string;
  /** Whether it is known that no event of its key failed. */
  readonly isKnown: boolean;
}

function Turn({ module, step, isKnown }: TurnProps) {
  const wrong = wrongOf(module);
  return html`<p><strong>It waits for <a href=${href(`/modules/${encodeURIComponent(module)}`)}>${module}</a></strong>, at ${step}${wrong.length === 0 ? '.' : ':'} ${wrong.map(({ key, tone, words }) => html`<${Badge} key=${key} tone=${tone}>${words}<//> `)}</p>
    <p class="quiet">${isKnown ? 'No event of its key failed.' : 'Whether an event of its key failed is not known here.'} ${system.has.events ? html`<a href=${href('/events', { module })}>How its events are doing</a>` : null}</p>`;
}
