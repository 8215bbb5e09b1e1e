// The other ways of a module: a share of its requests, a shadow, a ladder, how many processes, and its store to another server. What cannot be
// asked for is said at its field, before anything is begun.
import type { PictureModule } from '../../shared/picture-shape.ts';
import { send as sendTo } from './api.ts';
import { Confirm } from './confirm.ts';
import { html, useId, useState } from './html.ts';
import { instanceBadge } from './module-buttons.ts';
import { query, setQuery } from './router.ts';
import { system } from './system.ts';
import {
  beginWith,
  type Complaints,
  complaintsOf,
  isScalable,
  type Values,
  type Way,
  wayOf,
  ways,
} from './ways.ts';
import { serverInWords, servesSentence } from './words.ts';

interface Props {
  readonly name: string;
  readonly module: PictureModule;
  readonly onClose: () => void;
  /** Asks for a transfer. */
  readonly send: (wish: Readonly<Record<string, unknown>>) => Promise<void>;
}

export function MoveDialog({ name, module, onClose, send }: Props) {
  const shadowable = system.shadowable.includes(name);
  const [values, setValues] = useState<Values>(() => beginWith(shadowable, module.desired));
  const offered: Readonly<Record<Way, boolean>> = {
    share: true,
    shadow: shadowable,
    ladder: true,
    processes: isScalable(module),
    store: system.has.stores,
  };
  const shown = ways.filter(({ id }) => offered[id]);
  const asked = query.value.way as Way;
  const way = shown.some(({ id }) => id === asked) ? asked : 'share';
  const set = (field: keyof Values) => (event: Event) => {
    const { type, checked, value } = event.target as HTMLInputElement;
    setValues({ ...values, [field]: type === 'checkbox' ? checked : value });
  };
  const { command, wish, path, needs } = wayOf(way, name, values, module);
  const complaints = complaintsOf(way, values, shadowable);
  const fits = Object.keys(complaints).length === 0;
  return html`<${Confirm} title=${`Move ${name}`} button=${way === 'processes' ? 'Set' : 'Move'} needs=${needs} command=${fits ? command : undefined} wide onClose=${onClose}
    unready=${fits ? undefined : 'Mend what is marked above first.'}
    onConfirm=${() => (path === undefined ? send(wish) : sendTo('PUT', path, wish))}>
    <p>${servesSentence(name, module)}${module.store ? `. Its store is on ${serverInWords(module.store.server)}` : ''}.</p>
    <fieldset class="ways"><legend class="label">How</legend>
      ${shown.map(({ id, name: title, does }) => html`<label class="check" key=${id}><input type="radio" name="way" value=${id} checked=${way === id} onChange=${() => setQuery({ way: id })} /><span><strong>${title}</strong> <span class="quiet">${does}</span></span></label>`)}
    </fieldset>
    ${shadowable || way !== 'ladder' ? null : html`<p class="quiet">No shadow comes first: nothing of ${name} can be tried in shadow.</p>`}
    ${way === 'processes' ? html`<${Processes} module=${module} />` : null}
    <${Fields} way=${way} values=${values} set=${set} complaints=${complaints} />
  <//>`;
}

/** As they come and go, for as long as the dialog waits for them. */
function Processes({ module }: { module: PictureModule }) {
  return html`<ul class="plain" aria-label="Its processes">${Object.entries(module.instances).map(([id, one]) => html`<li key=${id}>${instanceBadge(id, one)}</li>`)}</ul>
    <p class="quiet">It is done when all of them are healthy, or those too many are gone; what they have under way they finish.</p>`;
}

interface FieldsProps {
  readonly way: Way;
  readonly values: Values;
  readonly complaints: Complaints;
  readonly set: (field: keyof Values) => (event: Event) => void;
}

function Fields({ way, values, set, complaints }: FieldsProps) {
  const id = useId();
  const text = (field: keyof Values, title: string, type = 'number') => {
    const wrong = complaints[field];
    const said = `${id}-${field}`;
    return html`<div key=${field}><label>${title}<input type=${type} value=${values[field]} onInput=${set(field)} aria-invalid=${wrong === undefined ? undefined : 'true'} aria-describedby=${wrong === undefined ? undefined : said} /></label>${wrong === undefined ? null : html`<p class="hint wrong" id=${said}>${wrong}</p>`}</div>`;
  };
  const check = (field: keyof Values, title: string) =>
    html`<label key=${field} class="check"><input type="checkbox" checked=${values[field]} onChange=${set(field)} /> ${title}</label>`;
  switch (way) {
    case 'share':
      return html`<div class="fields">${text('percent', 'Percent of its requests')}${check('guard', 'Watch it there, and take it back when its requests fail')}</div>`;
    case 'shadow':
      return html`<div class="fields">${text('reads', 'Percent of reads that are tried')}${text('writes', 'Percent of writes that are tried')}</div>`;
    case 'ladder':
      return html`<div class="fields">${text('steps', 'Steps, rising', 'text')}${text('minSeconds', 'At least so many seconds on each')}${text('minRequests', 'At least so many requests to the service on each')}${check('confirm', 'Wait for a person at each step')}</div>`;
    case 'processes':
      return html`<div class="fields">${text('instances', 'Processes')}</div>`;
    case 'store':
      return html`<div class="fields">${text('server', 'Server: own, shared, or the name of STORE_<NAME>_URL', 'text')}${check('dryRun', 'Look whether it can be moved; change nothing')}</div>`;
  }
}
