// Many letters at once: redriven, perhaps so many a second, or dropped for a reason. What is meant, and the command that does
// the same, stand in the dialog before anything happens.
import { send } from '../kit/api.ts';
import { Confirm } from '../kit/confirm.ts';
import { html, useState } from '../kit/html.ts';
import { bodyOf, dropMany, isEmpty, type Meant, redriveMany } from './commands.ts';

export interface ManyProps {
  readonly meant: Meant;
  /** Undefined: nobody knows before it is done. */
  readonly count: number | undefined;
  readonly onClose: () => void;
  readonly onDone: (words: string) => void;
}

export const letters = (n: number) => `${n} ${n === 1 ? 'letter' : 'letters'}`;

function Which({ meant, count }: Pick<ManyProps, 'meant' | 'count'>) {
  const { module, type, reason, key, olderThan } = meant.filter;
  if (meant.ids.length > 0) return html`<p>${letters(count ?? meant.ids.length)}, chosen one by one.</p>`;
  const words = [
    ...(module ? [`at ${module}`] : []),
    ...(type ? [`of type “${type}”`] : []),
    ...(reason ? [`with the reason “${reason}”`] : []),
    ...(key ? [`of the key “${key}”`] : []),
    ...(olderThan ? [`older than ${olderThan}`] : []),
  ];
  return html`<p>All dead letters ${isEmpty(meant.filter) ? 'of all modules' : words.join(', ')}${count === undefined ? '' : `: ${count} as the list says`}.</p>`;
}

export function RedriveMany({ meant, count, onClose, onDone }: ManyProps) {
  const [paced, setPaced] = useState(count === undefined || count > 20);
  const [rate, setRate] = useState('10');
  const perSecond = paced ? Number(rate) : undefined;
  const wrong = perSecond !== undefined && !(perSecond > 0 && perSecond <= 1_000);
  const redrive = async () => {
    const { redriven } = await send<{ redriven: number }>('POST', '/admin/events/redrive', {
      ...bodyOf(meant),
      ...(perSecond === undefined ? {} : { perSecond }),
    });
    onDone(
      `${letters(redriven)} on the way again${perSecond === undefined ? '' : `, ${perSecond} a second`}.`,
    );
  };
  return html`<${Confirm} title="Redrive" button="Redrive" needs="events" onConfirm=${redrive} onClose=${onClose}
      command=${redriveMany(meant, wrong ? undefined : perSecond)}
      unready=${wrong ? 'A rate is a number above 0, and 1000 at most.' : undefined}>
    <${Which} meant=${meant} count=${count} />
    <p class="quiet">Each is tried again in its place in the order of its key, with a new trace. What fails again is a dead letter again: Try, on the page of one of them, says beforehand whether it would.</p>
    <label class="check"><input type="checkbox" checked=${paced} onChange=${() => setPaced(!paced)} /> Not all at once</label>
    ${paced ? html`<label>A second<input type="number" min="0.01" max="1000" step="any" value=${rate} aria-invalid=${wrong ? 'true' : undefined} onInput=${(event: Event) => setRate((event.currentTarget as HTMLInputElement).value)} /></label>` : null}
  <//>`;
}

export function DropMany({ meant, count, onClose, onDone }: ManyProps) {
  const [why, setWhy] = useState('');
  const drop = async () => {
    const { dropped } = await send<{ dropped: number }>('POST', '/admin/events/drop', {
      ...bodyOf(meant),
      why: why.trim(),
    });
    onDone(`${letters(dropped)} dropped.`);
  };
  return html`<${Confirm} title="Drop" button="Drop" dangerous needs="events" onConfirm=${drop} onClose=${onClose}
      command=${dropMany(meant, why.trim())} unready=${why.trim() === '' ? 'Say why: the reason is kept.' : undefined}>
    <${Which} meant=${meant} count=${count} />
    <${Why} one=${count === 1} value=${why} onInput=${setWhy} />
  <//>`;
}

interface WhyProps {
  readonly value: string;
  readonly onInput: (text: string) => void;
  /** Of one letter the sentence speaks of one. */
  readonly one?: boolean;
}

export function Why({ value, onInput, one = false }: WhyProps) {
  return html`<p>${one ? 'It will have no effect. Later events of its key go on.' : 'They will have no effect. Later events of their keys go on.'}</p>
    <label>Reason<textarea rows="3" maxlength="1000" required value=${value} onInput=${(event: Event) => onInput((event.currentTarget as HTMLTextAreaElement).value)}></textarea></label>`;
}
