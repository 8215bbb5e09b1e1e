// The other ways of a module: a share of its requests, a shadow, a ladder, and its store to a server of its own. What cannot be
// asked for is said at its field, before anything is begun.
import type { PictureModule } from '../../shared/picture-shape.ts';
import { send as sendTo } from './api.ts';
import { Confirm } from './confirm.ts';
import { html, useId, useState } from './html.ts';
import { query, setQuery } from './router.ts';
import { system } from './system.ts';
import { beginWith, type Complaints, complaintsOf, type Values, type Way, wayOf, ways } from './ways.ts';
import { servesSentence } from './words.ts';

interface Props {
  readonly name: string;
  readonly module: PictureModule;
  readonly onClose: () => void;
  /** Asks for a transfer. */
  readonly send: (wish: Readonly<Record<string, unknown>>) => Promise<void>;
}

export function MoveDialog({ name, module, onClose, send }: Props) {
  const shadowable = system.shadowable.includes(name);
  const [values, setValues] = useState<Values>(() => beginWith(shadowable));
  const shown = ways.filter(({ id }) => (id === 'store' ? system.has.stores : id !== 'shadow' || shadowable));
  const asked = query.value.way as Way;
  const way = shown.some(({ id }) => id === asked) ? asked : 'share';
  const set = (field: keyof Values) => (event: Event) => {
    const { type, checked, value } = event.target as HTMLInputElement;
    setValues({ ...values, [field]: type === 'checkbox' ? checked : value });
  };
  const { command, wish, path, needs } = wayOf(way, name, values);
  const complaints = complaintsOf(way, values, shadowable);
  const fits = Object.keys(complaints).length === 0;
  return html`<${Confirm} title=${`Move ${name}`} button="Move" needs=${needs} command=${fits ? command : undefined} wide onClose=${onClose}
    unready=${fits ? undefined : 'Mend what is marked above first.'}
    onConfirm=${() => (path === undefined ? send(wish) : sendTo('PUT', path, wish))}>
    <p>${servesSentence(name, module)}${module.store ? `. Its store is on ${module.store.server}` : ''}.</p>
    <fieldset class="ways"><legend class="label">How</legend>
      ${shown.map(({ id, name: title, does }) => html`<label class="check" key=${id}><input type="radio" name="way" value=${id} checked=${way === id} onChange=${() => setQuery({ way: id })} /><span><strong>${title}</strong> <span class="quiet">${does}</span></span></label>`)}
    </fieldset>
    ${shadowable || way !== 'ladder' ? null : html`<p class="quiet">No shadow comes first: nothing of ${name} can be tried in shadow.</p>`}
    <${Fields} way=${way} values=${values} set=${set} complaints=${complaints} />
  <//>`;
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
    case 'store':
      return html`<div class="fields">${text('server', 'Server: own, shared, or the name of STORE_<NAME>_URL', 'text')}${check('dryRun', 'Look whether it can be moved; change nothing')}</div>`;
  }
}
