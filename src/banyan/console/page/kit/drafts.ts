// What was typed and is not sent yet, kept for this tab: a reload, the menu and the back button lose nothing of it. Guarantees:
// only whoever typed it sees it again; who signs out leaves nothing behind.
import { useState } from './html.ts';
import { operator, system } from './system.ts';

const PREFIX = `banyan draft ${system.prefix} `;

export interface Draft {
  /** Undefined: nothing was typed. */
  readonly text: string | undefined;
  readonly keep: (text: string) => void;
  readonly forget: () => void;
}

/** @param of what it is typed into; another one is another component (`key`). */
export function useDraft(of: string): Draft {
  const name = `${PREFIX}${operator.value?.name ?? ''} ${of}`;
  const [text, setText] = useState<string | undefined>(() => sessionStorage.getItem(name) ?? undefined);
  return {
    text,
    keep(typed) {
      setText(typed);
      try {
        sessionStorage.setItem(name, typed);
      } catch {
        // More than a browser keeps for a tab: it stays while the view is open.
        sessionStorage.removeItem(name);
      }
    },
    forget() {
      setText(undefined);
      sessionStorage.removeItem(name);
    },
  };
}

export function forgetDrafts(): void {
  for (const name of Object.keys(sessionStorage))
    if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
}
