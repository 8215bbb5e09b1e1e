// Times as people read them: local, with UTC behind; and how long ago something was, told anew as time passes.
import { html, type ReadonlySignal, signal } from './html.ts';
import { visible } from './visible.ts';

const clock = signal(Date.now());
setInterval(() => {
  if (visible.peek()) clock.value = Date.now();
}, 1_000);

/** The time, a second at a time. */
export const now: ReadonlySignal<number> = clock;

const withDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const ofToday = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

const msOf = (at: string | number | Date) => (typeof at === 'number' ? at : new Date(at).getTime());

/** @param at RFC 3339, or milliseconds since the epoch. */
export function Time({ at }: { at: string | number | Date | null | undefined }) {
  const ms = at === null || at === undefined ? Number.NaN : msOf(at);
  if (Number.isNaN(ms)) return html`<span class="quiet">–</span>`;
  const date = new Date(ms);
  const today = new Date().toDateString() === date.toDateString();
  const iso = date.toISOString();
  return html`<time datetime=${iso} title=${`${iso.replace('T', ' ').replace('Z', '')} UTC`}>${(today ? ofToday : withDay).format(date)}</time>`;
}

/** “3 min ago”, which counts on. */
export function Ago({ at }: { at: string | number | Date }) {
  const ms = msOf(at);
  const iso = new Date(ms).toISOString();
  return html`<time datetime=${iso} title=${`${iso.replace('T', ' ').replace('Z', '')} UTC`}>${ago(now.value - ms)}</time>`;
}

export function ago(ms: number): string {
  return ms < 1_500 ? 'now' : `${lasting(ms)} ago`;
}

/** `850 ms`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function lasting(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 100_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}
