// What the console of a gateway alone cannot show, and who can.
import { html } from '../kit/html.ts';
import type { Picture } from '../kit/live.ts';
import { system } from '../kit/system.ts';

export function Gateway({ picture }: { picture: Picture }) {
  if (!system.gateway) return null;
  const monoliths = Object.values(picture.hosts).filter(({ role, live }) => role === 'monolith' && live);
  return html`<p class="notice" role="note">This host is a gateway alone. It shows where modules serve and how they do, and moves them. It has no module’s store: events, dead letters, logs and comparisons, and what of the audit lies in stores, are at the console of a monolith${monoliths.length === 0 ? '; none is there now' : ` (${[...new Set(monoliths.map(({ id }) => id))].join(', ')})`}.</p>`;
}
