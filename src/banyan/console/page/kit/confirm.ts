// Asks once before a change: what will happen, the command that does the same, and whether who is signed in may. What went
// wrong stays in the dialog, with what is next.
import type { Needs } from './act.ts';
import { Command } from './command.ts';
import { Dialog } from './dialog.ts';
import { html, useEffect, useRef, useState } from './html.ts';
import { isAway } from './offered.ts';
import { ProblemBox } from './problem.ts';
import { may, whyNot } from './system.ts';

export interface ConfirmProps {
  readonly title: string;
  /** What the button says: `Extract`. */
  readonly button: string;
  /** What the other button says. Default `Cancel`. */
  readonly leave?: string;
  /** The banyan command that does the same; absent: there is none. */
  readonly command?: string | undefined;
  readonly needs: Needs;
  /** Resolves when it is done or on its way: the dialog closes. Rejects with a Problem, which is shown. */
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
  /** It cannot be taken back, or somebody loses something. */
  readonly dangerous?: boolean;
  /** It may be done, and is not what is advised: the button does not invite. */
  readonly doubtful?: boolean;
  /** Why it cannot be done as things stand (a field is missing); undefined: it can. */
  readonly unready?: string | undefined;
  readonly wide?: boolean;
  readonly children?: unknown;
}

export function Confirm({
  title,
  button,
  leave = 'Cancel',
  command,
  needs,
  onConfirm,
  onClose,
  dangerous,
  doubtful,
  unready,
  wide,
  children,
}: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const [problem, setProblem] = useState<unknown>(undefined);
  const allowed = may(needs);
  const away = isAway();
  const confirm = async (event: Event) => {
    event.preventDefault();
    if (busy || !allowed || away || unready !== undefined) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  // A button that is off has no focus; after a refusal it is on again, and who pressed it is still there.
  useEffect(() => {
    if (problem !== undefined && document.activeElement === document.body)
      form.current?.querySelector<HTMLElement>('.actions button:not(:disabled)')?.focus();
  }, [problem]);
  return html`<${Dialog} title=${title} onClose=${onClose} wide=${wide}>
    <form onSubmit=${confirm} ref=${form}>
      ${children}
      ${command ? html`<div><span class="label">The same in a terminal</span><${Command} text=${command} /></div>` : null}
      ${problem === undefined ? null : html`<${ProblemBox} problem=${problem} />`}
      ${allowed ? null : html`<p class="notice">${whyNot(needs)}</p>`}
      ${away ? html`<p class="notice">The host does not answer. Nothing can be asked of it until it does; what you typed stays here.</p>` : null}
      ${allowed && unready !== undefined ? html`<p class="quiet">${unready}</p>` : null}
      <div class="actions">
        <button type="submit" class=${dangerous ? 'primary danger' : doubtful ? '' : 'primary'} disabled=${busy || !allowed || away || unready !== undefined}>${button}</button>
        <button type="button" onClick=${onClose} data-focus=${dangerous || !allowed ? '' : undefined}>${leave}</button>
      </div>
    </form>
  <//>`;
}
