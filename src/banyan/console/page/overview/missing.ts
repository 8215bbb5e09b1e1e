// What the picture could not be made of, so that nobody takes old numbers for new ones.
import { html } from '../kit/html.ts';
import type { Picture } from '../kit/live.ts';

const WORDS: Readonly<Record<string, string>> = {
  hosts: 'Who is there could not be read; what is shown is from before',
  placements: 'Where modules serve could not be read; what is shown is from before',
  transfers: 'What is on its way could not be read',
  events: 'How events do could not be read',
  sagas: 'How many sagas are stuck could not be read',
  stores: 'Where stores are could not be read',
};

export function Missing({ picture }: { picture: Picture }) {
  const all = Object.entries(picture.missing);
  if (all.length === 0) return null;
  return html`<div class="notice" role="status">${all.map(
    ([what, why]) => html`<p key=${what}>${WORDS[what] ?? what}: ${why}</p>`,
  )}</div>`;
}
