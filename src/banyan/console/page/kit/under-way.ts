// What is on its way now, and what failed or was over lately: from the server's rows, so that a reload or another tab shows it.
// Its place is always as high (overview.css), and what is more is scrolled to: what comes and goes moves no button.
import type { Picture, PictureModule } from '../../shared/picture-shape.ts';
import { Badge } from './badge.ts';
import { html } from './html.ts';
import { href } from './router.ts';
import { Ago, now } from './time.ts';
import { flipWords, isFresh, isUnderWay, transferWords, WAYS } from './words.ts';

const SHOWN_MS = 90_000;

export function UnderWay({ picture, only }: { picture: Picture; only?: string }) {
  const rows = Object.entries(picture.modules)
    .filter(([name]) => only === undefined || name === only)
    .flatMap(([name, module]) => linesOf(name, module));
  return html`<div class=${rows.length === 0 ? 'under-way none' : 'under-way'} role="region" tabindex="0" aria-label="On its way">${rows.length === 0 ? html`<p class="quiet">Nothing is on its way.</p>` : html`<ul>${rows}</ul>`}</div>`;
}

const isLate = (at: string) => now.value - Date.parse(at) > SHOWN_MS;

function linesOf(name: string, { transfer, flip, ladder, store }: PictureModule) {
  const link = html`<a href=${href(`/modules/${encodeURIComponent(name)}`)}>${name}</a>`;
  const lines: unknown[] = [];
  const open = isUnderWay(transfer);
  // A ladder that has begun says itself where it is.
  const isBegun = transfer?.to === 'ladder' && transfer.step === 'done';
  if (transfer && !isBegun && (open || !isLate(transfer.changedAt))) {
    const { tone, word, says } = transferWords(transfer, flip);
    lines.push(html`<li key=${`${name} transfer`}>
      <${Badge} tone=${tone}>${WAYS[transfer.to]} ${word}<//> ${link}: ${says} <span class="quiet"><${Ago} at=${transfer.changedAt} />, by ${transfer.startedBy}</span></li>`);
  }
  if (flip && isFresh(flip, now.value))
    lines.push(html`<li key=${`${name} flip`}>
      <${Badge} tone=${flip.failed ? 'bad' : flip.over ? 'good' : 'busy'}>flip ${flip.over ? 'over' : 'under way'}<//> ${link}: ${flip.from} → ${flip.to}; ${flip.draining > 0 ? `${flip.draining} requests draining; ` : ''}${flipWords(flip)} <span class="quiet"><${Ago} at=${flip.at} />, by ${flip.by}</span></li>`);
  if (ladder && (ladder.state === 'running' || ladder.state === 'paused'))
    lines.push(html`<li key=${`${name} ladder`}>
      <${Badge} tone=${ladder.state === 'paused' ? 'warn' : 'busy'}>ladder ${ladder.state}<//> ${link} at ${rung(ladder.rung)}: ${ladder.reason}</li>`);
  if (ladder?.state === 'demoted')
    lines.push(html`<li key=${`${name} ladder`}>
      <${Badge} tone="bad">ladder demoted<//> ${link} came down from ${rung(ladder.rung)}: ${ladder.reason}</li>`);
  if (store && store.state !== 'single')
    lines.push(html`<li key=${`${name} store`}>
      <${Badge} tone=${store.state === 'broken' ? 'bad' : store.state === 'moving' ? 'busy' : 'plain'}>store ${store.state}<//> ${link} on ${store.server}${store.step ? `: ${store.step}` : ''} <a href=${href('/moves')}>Moves</a></li>`);
  return lines;
}

export const rung = (text: string): string => (/^\d/.test(text) ? `${text} %` : text);
