// What a person may do about sagas: ask again or take back one that is stuck, and set the style of those that begin from now
// on. Each asks once, and shows the command that does the same.
import { adviceOf, type Unhandled } from '../../shared/held.ts';
import { send } from '../kit/api.ts';
import { Confirm } from '../kit/confirm.ts';
import { html } from '../kit/html.ts';
import { Cause } from './holder.ts';
import { commandOf, pathOf, type SagaDesk } from './shape.ts';

export interface Which {
  readonly role: 'retry' | 'cancel';
  readonly id: string;
  readonly style: string;
  /** The event that holds it. */
  readonly holder: Unhandled | undefined;
}

interface DialogProps {
  readonly desk: SagaDesk;
  readonly which: Which;
  readonly onClose: () => void;
  readonly onDone: () => Promise<void>;
}

const WORDS = {
  retry: {
    title: 'Retry',
    button: 'Retry',
    what: 'The step at which it stands is asked again. Whoever answered before answers the same: nothing is done twice.',
  },
  cancel: {
    title: 'Cancel',
    button: 'Take it back',
    what: 'What was done is taken back, step by step, and it ends. This cannot be undone.',
  },
} as const;

export function SagaDialog({ desk, which: { role, id, style, holder }, onClose, onDone }: DialogProps) {
  const ask = desk[role]!;
  const { title, button, what } = WORDS[role];
  const act = async () => {
    await send(ask.method as 'POST', pathOf(ask, id));
    await onDone();
  };
  return html`<${Confirm} title=${`${title} ${id}`} button=${button} needs=${ask.needs} command=${commandOf(ask, id)}
    onConfirm=${act} onClose=${onClose} dangerous=${role === 'cancel'} doubtful=${role === 'retry' && holder !== undefined} leave="Leave it as it is">
    <p>${what}</p>
    ${role === 'retry' && holder ? html`<div class="notice"><p><${Cause} one=${holder} /></p><p>${adviceOf(style, holder)}</p></div>` : null}
  <//>`;
}

interface StyleProps {
  readonly desk: SagaDesk;
  readonly now: string;
  readonly onClose: () => void;
  readonly onDone: () => Promise<void>;
}

export function StyleSwitch({ desk, now, onClose, onDone }: StyleProps) {
  const ask = desk.style!;
  const other = now === 'orchestration' ? 'choreography' : 'orchestration';
  const set = async () => {
    await send(ask.method as 'PUT', ask.path, { style: other });
    await onDone();
  };
  return html`<${Confirm} title=${`Switch to ${other}`} button="Switch" needs=${ask.needs} command=${commandOf(ask, other)} onConfirm=${set} onClose=${onClose}>
    <p>Sagas that begin from now on go on by ${other}: ${other === 'orchestration' ? 'a coordinator asks one module after the other.' : 'each module reacts to the events of another.'}</p>
    <p class="quiet">Those that are open end as they began, and both come to the same end.</p>
  <//>`;
}
