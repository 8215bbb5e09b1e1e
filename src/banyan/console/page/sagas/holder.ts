// What holds a saga that is stuck: an event of its key that a module could not handle, or cannot handle yet, with the way to
// it; else the module whose turn it is, and what is wrong with that.
import { Badge } from '../kit/badge.ts';
import { html } from '../kit/html.ts';
import { href } from '../kit/router.ts';
import { system } from '../kit/system.ts';
import { Ago } from '../kit/time.ts';
import { plural } from '../kit/words.ts';
import { wrongOf } from '../kit/wrong.ts';
import type { Shown } from './shape.ts';
import type { Letter, Unhandled } from './unhandled.ts';

interface HolderProps {
  /** Whose saga it is. */
  readonly module: string;
  readonly saga: Shown;
  readonly unhandled: Unhandled;
}

export function Holder({ module, saga, unhandled: { loading, letters } }: HolderProps) {
  if (loading) return null;
  return html`<section class="notice" aria-label="What holds it">
    ${letters && letters.length > 0 ? letters.map((one) => html`<${Held} key=${`${one.module} ${one.id}`} one=${one} />`) : html`<${Turn} module=${saga.by ?? module} step=${saga.step} isKnown=${letters !== undefined} />`}
  </section>`;
}

/** What the module does with the event, to be read before its name; and what ends it. */
const STATES: Readonly<Record<string, readonly [does: string, then: string]>> = {
  dead: ['could not handle', 'Mend and redrive it, or drop it.'],
  'unknown-version': ['does not know this version of', 'It goes on when the module is upgraded.'],
  early: ['waits for what comes before', 'It goes on when that comes, or when somebody decides.'],
  waiting: ['failed and tries again:', 'It goes on by itself when that works.'],
};

function Held({ one: { module, id, type, state, reason, since, behind } }: { one: Letter }) {
  const [does, then] = STATES[state] ?? ['has not handled', ''];
  return html`<p><strong>Held by <${ToModule} name=${module} /></strong>, which ${does} <a href=${href(`/dead/${id}`, { module })}>${type}</a>, <${Ago} at=${since} />${reason === null ? '.' : `: ${reason}`}</p>
    <p class="quiet">${then}${behind > 0 ? ` ${plural(behind, 'event')} of the same key behind it.` : ''}</p>`;
}

interface TurnProps {
  readonly module: string;
  readonly step: string;
  /** Whether it is known that no event of its key failed. */
  readonly isKnown: boolean;
}

function Turn({ module, step, isKnown }: TurnProps) {
  const wrong = wrongOf(module);
  return html`<p><strong>It waits for <${ToModule} name=${module} /></strong>, at ${step}${wrong.length === 0 ? '.' : ':'} ${wrong.map(({ key, tone, words }) => html`<${Badge} key=${key} tone=${tone}>${words}<//> `)}</p>
    <p class="quiet">${isKnown ? 'No event of its key failed.' : 'Whether an event of its key failed is not known here.'} ${system.has.events ? html`<a href=${href('/events', { module })}>How its events are doing</a>` : null}</p>`;
}

const ToModule = ({ name }: { name: string }) =>
  html`<a href=${href(`/modules/${encodeURIComponent(name)}`)}>${name}</a>`;
