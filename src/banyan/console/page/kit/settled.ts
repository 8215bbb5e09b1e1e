// What stands in a dialog of a module that is on its way already, or is there: who moves it and how far it is, as it goes on.
import type { PictureModule } from '../../shared/picture-shape.ts';
import { Badge } from './badge.ts';
import { Dialog } from './dialog.ts';
import { html, useEffect } from './html.ts';
import { setQuery } from './router.ts';
import { Ago } from './time.ts';
import { isScalable } from './ways.ts';
import { isUnderWay, plural, servesSentence, TRANSFER_WORDS, WAYS } from './words.ts';

/** Why nothing is offered: it is on its way, or there; undefined: something can be offered. */
export function settledOf(
  what: 'extract' | 'restore' | 'move',
  name: string,
  { placement, desired, instances, transfer }: PictureModule,
): string | undefined {
  if (isUnderWay(transfer)) return `${name} is on its way already.`;
  if (what === 'extract' && placement === 'service') {
    const count = Object.keys(instances).length;
    return `${name} is extracted already: ${plural(count, 'process')} of it ${count === 1 ? 'serves' : 'serve'} all of its requests.`;
  }
  if (what === 'restore' && placement === 'in-process' && desired === 0)
    return `${name} is in the monolith already, and has no process of its own.`;
  return undefined;
}

export function Settled({
  title,
  name,
  module,
  says,
  onClose,
  onShown,
}: {
  title: string;
  name: string;
  module: PictureModule;
  says: string;
  onClose: () => void;
  /** It is there: the URL need not ask for it. */
  onShown: () => void;
}) {
  useEffect(onShown, []);
  const { transfer } = module;
  const open = isUnderWay(transfer);
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <p>${says}</p>
    ${
      open
        ? html`<p role="status"><${Badge} tone="busy">${WAYS[transfer!.to]} under way<//> ${TRANSFER_WORDS[transfer!.step]} <span class="quiet">(this step began <${Ago} at=${transfer!.changedAt} />)</span></p>
      <p>Begun <${Ago} at=${transfer!.startedAt} /> by ${transfer!.startedBy}.</p>`
        : html`<p>${servesSentence(name, module)}.${transfer ? html` Last: ${WAYS[transfer.to]} ${transfer.step}, <${Ago} at=${transfer.changedAt} />, by ${transfer.startedBy}.` : null}</p>`
    }
    <div class="actions">${
      open || !isScalable(module)
        ? null
        : html`<button type="button" onClick=${() => {
            onClose();
            setQuery({ move: name, way: 'processes' }, { replace: false });
          }}>More or fewer processes…</button>`
    }<button type="button" onClick=${onClose} data-focus>Close</button></div>
  <//>`;
}
