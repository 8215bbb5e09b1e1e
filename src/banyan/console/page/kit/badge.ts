// A state in a word and a shape, so that no colour says anything alone.
import { html } from './html.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'plain';

const SHAPES: Readonly<Record<Tone, string>> = { good: '●', warn: '▲', bad: '■', busy: '◐', plain: '○' };

export function Badge({
  tone = 'plain',
  children,
  title,
}: {
  tone?: Tone;
  children?: unknown;
  title?: string;
}) {
  return html`<span class=${`badge ${tone}`} title=${title}><span aria-hidden="true">${SHAPES[tone]}</span> ${children}</span>`;
}
