// Fields of a filter above a list: what is chosen goes into the URL at once, what is typed when somebody pauses, and what the
// URL says is shown. With another filter a list begins again at its first page. On a phone, where they would fill the screen,
// they are behind one button, which says how many of them are set.
import { html, useEffect, useId, useRef, useState } from './html.ts';
import { narrow } from './narrow.ts';
import { query, setQuery } from './router.ts';

const PAUSE_MS = 300;

interface FilterBarProps {
  /** What the fields are called in the URL. */
  readonly names: readonly string[];
  /** What stands beside the fields and is never folded away: links. */
  readonly beside?: unknown;
  readonly children?: unknown;
}

export function FilterBar({ names, beside, children }: FilterBarProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const folds = narrow.value;
  const set = names.filter((name) => query.value[name]).length;
  return html`<form class="bar" role="search" aria-label="Filter" onSubmit=${(event: Event) => event.preventDefault()}>
    ${folds ? html`<button type="button" class="fold" aria-expanded=${open} aria-controls=${id} onClick=${() => setOpen(!open)}>Filters (${set})</button>` : null}
    <div class="fields" id=${id} hidden=${folds && !open}>${children}</div>
    ${beside}
  </form>`;
}

interface ChoiceProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly options: readonly (readonly [string, string])[];
  /** The value that the URL does not say. */
  readonly without?: string;
}

export function Choice({ label, name, value, options, without = '' }: ChoiceProps) {
  const change = (event: Event) => {
    const now = (event.currentTarget as HTMLSelectElement).value;
    setQuery({ [name]: now === without ? undefined : now, cursor: undefined });
  };
  return html`<label>${label}<select name=${name} value=${value} onChange=${change}>
    ${options.map(([one, words]) => html`<option key=${one} value=${one} selected=${one === value}>${words}</option>`)}
  </select></label>`;
}

interface WordsProps {
  readonly label: string;
  readonly name: string;
  readonly pattern?: string;
  readonly type?: 'search' | 'number' | 'datetime-local';
  readonly placeholder?: string;
}

export function Words({ label, name, pattern, type = 'search', placeholder }: WordsProps) {
  const said = query.value[name] ?? '';
  const [text, setText] = useState(said);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setText(said), [said]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (event: Event) => {
    const now = (event.currentTarget as HTMLInputElement).value;
    setText(now);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery({ [name]: now.trim(), cursor: undefined }), PAUSE_MS);
  };
  return html`<label>${label}<input type=${type} name=${name} value=${text} pattern=${pattern} placeholder=${placeholder} onInput=${change} autocomplete="off" spellcheck=${false} /></label>`;
}

export function Box({ label, name }: { label: string; name: string }) {
  const change = (event: Event) =>
    setQuery({ [name]: (event.currentTarget as HTMLInputElement).checked || undefined, cursor: undefined });
  return html`<label class="check"><input type="checkbox" name=${name} checked=${query.value[name] === 'true'} onChange=${change} />${label}</label>`;
}

/** The options of a choice among names, of which none need be chosen. */
export function named(names: readonly string[], none = 'All'): (readonly [string, string])[] {
  return [['', none], ...names.map((one) => [one, one] as const)];
}

/** What of the URL goes into the question: `?module=x&key=y`, or nothing. */
export function asked(names: readonly string[], more: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(more);
  for (const name of names) {
    const value = query.value[name];
    if (value) search.set(name, value);
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}
