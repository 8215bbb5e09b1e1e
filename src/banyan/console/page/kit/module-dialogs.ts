// The switch of a module: extract, restore, move. Which one is open is in the URL. Each says what will happen and the command
// that does the same; what follows is the server's, and shown under “On its way”. Of a module that is on its way, whoever
// moves it, or that is there already, a dialog shows that and offers nothing, and the URL asks for nothing any more.
import type { Picture, PictureModule } from '../../shared/picture-shape.ts';
import { Confirm } from './confirm.ts';
import { html, useState } from './html.ts';
import { MoveDialog } from './move-dialog.ts';
import { query, setQuery } from './router.ts';
import { Settled, settledOf } from './settled.ts';
import { transfer } from './transfer.ts';
import { plural, servesSentence } from './words.ts';

type What = 'extract' | 'restore' | 'move';

interface Open {
  readonly what: What;
  readonly name: string;
}

const WHATS: readonly What[] = ['extract', 'restore', 'move'];
const TITLES: Readonly<Record<What, string>> = { extract: 'Extract', restore: 'Restore', move: 'Move' };

function asked(): Open | undefined {
  const what = WHATS.find((one) => query.value[one] !== undefined);
  return what && { what, name: query.value[what]! };
}

const ask = (no: undefined) => setQuery({ extract: no, restore: no, move: no, way: no });

/** @param only on a view of one module: no other opens here. */
export function ModuleDialogs({ picture, only }: { picture: Picture; only?: string }) {
  // Still open, though the URL does not ask for it any more.
  const [left, setLeft] = useState<Open | undefined>(undefined);
  // The dialog's own wish is on its way: it closes when that is answered.
  const [sending, setSending] = useState(false);
  const open = asked() ?? left;
  if (!open || (only !== undefined && open.name !== only)) return null;
  const { what, name } = open;
  const module = picture.modules[name];
  if (!module) return null;
  const close = () => {
    setSending(false);
    setLeft(undefined);
    ask(undefined);
  };
  const settled = sending ? undefined : settledOf(what, name, module);
  if (settled)
    return html`<${Settled} key=${`${what} ${name}`} title=${`${TITLES[what]} ${name}`} name=${name} module=${module} says=${settled} onClose=${close} onShown=${() => {
      setLeft(open);
      ask(undefined);
    }} />`;
  const send = async (wish: Readonly<Record<string, unknown>>) => {
    setSending(true);
    try {
      await transfer(name, wish);
    } catch (error) {
      setSending(false);
      throw error;
    }
  };
  const of = { name, module, onClose: close, send };
  if (what === 'extract') return html`<${Extract} key=${name} ...${of} />`;
  if (what === 'restore') return html`<${Restore} key=${name} ...${of} />`;
  return html`<${MoveDialog} key=${name} ...${of} />`;
}

interface Props {
  readonly name: string;
  readonly module: PictureModule;
  readonly onClose: () => void;
  readonly send: (wish: Readonly<Record<string, unknown>>) => Promise<void>;
}

function Extract({ name, module, onClose, send }: Props) {
  const [instances, setInstances] = useState(Math.max(1, module.desired));
  const [guard, setGuard] = useState(false);
  const fits = Number.isInteger(instances) && instances >= 1 && instances <= 16;
  // One is what is there if nobody says a number.
  const many = instances === 1 && module.desired <= 1 ? {} : { instances };
  return html`<${Confirm} title=${`Extract ${name}`} button="Extract" needs="place" onClose=${onClose}
    command=${fits ? `npx banyan extract ${name}${many.instances ? ` --instances ${instances}` : ''}${guard ? ' --guard' : ''}` : undefined}
    unready=${fits ? undefined : 'It takes 1 to 16 processes.'}
    onConfirm=${() => send({ to: 'service', ...many, ...(guard && { guard }) })}>
    <p>${servesSentence(name, module)}. ${plural(instances, 'process')} of it will be there; when ${instances === 1 ? 'it is' : 'they are'} healthy, all requests go there. Requests under way end where they began.</p>
    <label>Processes<input type="number" min="1" max="16" value=${instances} onInput=${(event: Event) => setInstances(Number((event.target as HTMLInputElement).value))} /></label>
    <label class="check"><input type="checkbox" checked=${guard} onChange=${() => setGuard(!guard)} /> Watch it there, and take it back when its requests fail</label>
  <//>`;
}

function Restore({ name, module, onClose, send }: Props) {
  return html`<${Confirm} title=${`Restore ${name}`} button="Restore" needs="place" onClose=${onClose}
    command=${`npx banyan restore ${name}`} onConfirm=${() => send({ to: 'in-process' })}>
    <p>${servesSentence(name, module)}. From the flip on the monolith serves it. When no request to its ${plural(Math.max(1, Object.keys(module.instances).length), 'process')} is unfinished, ${module.desired === 1 ? 'that is' : 'those are'} stopped; if they do not end within 30 s, nothing is.</p>
  <//>`;
}
