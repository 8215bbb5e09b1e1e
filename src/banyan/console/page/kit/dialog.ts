// A dialog over the page: the focus stays within, Esc closes it, and the focus goes back to where it came from. Keys are heard
// wherever the focus is: what had it may be gone or off (a button while its request is on its way), and then nothing has it.
import { html, useId, useLayoutEffect, useRef } from './html.ts';

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), [tabindex="0"]';

export function Dialog({
  title,
  onClose,
  children,
  wide = false,
}: {
  title: string;
  onClose: () => void;
  children?: unknown;
  wide?: boolean;
}) {
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = useRef(onClose);
  close.current = onClose;
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const within = box.current!;
    (within.querySelector<HTMLElement>('[data-focus], input, select, textarea') ?? within).focus();
    document.body.classList.add('still');
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        close.current();
      } else if (event.key === 'Tab') keepWithin(event, within);
    };
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('keydown', onKey);
      if (!document.querySelector('[role="dialog"]:not(:scope)')) document.body.classList.remove('still');
      if (before?.isConnected) before.focus();
      else document.querySelector<HTMLElement>('h1')?.focus();
    };
  }, []);
  return html`<div class="over" onMouseDown=${(event: MouseEvent) => event.target === event.currentTarget && onClose()}>
    <div class=${wide ? 'dialog wide' : 'dialog'} role="dialog" aria-modal="true" aria-labelledby=${id} tabindex="-1" ref=${box}>
      <h2 id=${id}>${title}</h2>
      ${children}
    </div>
  </div>`;
}

function keepWithin(event: KeyboardEvent, box: HTMLElement): void {
  const all = [...box.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((one) => one.offsetParent !== null);
  const [first, last] = [all[0], all.at(-1)];
  if (!first || !last) {
    event.preventDefault();
    return;
  }
  const at = document.activeElement;
  const isOutside = !box.contains(at);
  if (event.shiftKey && (at === first || at === box || isOutside)) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && (at === last || isOutside)) {
    event.preventDefault();
    first.focus();
  }
}
