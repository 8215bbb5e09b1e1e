// The data of a letter, and how it is mended: what is typed is checked by the host as the consumer will read it, when somebody
// pauses. What the consumer cannot read is said by the path into it. What was typed stays in this tab until it is sent.
import { Problem, type ProblemOfField, send } from '../kit/api.ts';
import { Badge } from '../kit/badge.ts';
import { useDraft } from '../kit/drafts.ts';
import { html, useEffect, useId, useState } from '../kit/html.ts';
import type { LetterDetails, Tried } from './shape.ts';

export interface Edited {
  readonly text: string;
  readonly type: (text: string) => void;
  readonly reset: () => void;
  /** Something else than what came. */
  readonly changed: boolean;
  /** What was typed, as a value; undefined where it is no JSON. */
  readonly data: unknown;
  readonly wrongJson: string | undefined;
  /** What was typed, in one line, as a command takes it; undefined: nothing was, or it is no JSON. */
  readonly inLine: string | undefined;
  /** As the consumer would read it; of the text of the last pause. */
  readonly errors: readonly ProblemOfField[];
  readonly checked: 'yes' | 'checking' | 'no';
}

const PAUSE_MS = 350;

export const textOf = ({ data, text, raw }: LetterDetails): string =>
  text ?? (data === null && raw !== null && raw !== 'bnVsbA==' ? '' : JSON.stringify(data, null, 2));

/** Of one that is done or dropped nothing can be mended any more. */
export const isOver = ({ state }: Pick<LetterDetails, 'state'>): boolean =>
  state === 'done' || state === 'dropped';

export function useEdited(letter: LetterDetails): Edited {
  const { id, module } = letter;
  const came = textOf(letter);
  const draft = useDraft(`of the letter ${id} at ${module}`);
  const text = isOver(letter) ? came : (draft.text ?? came);
  const [errors, setErrors] = useState<readonly ProblemOfField[]>([]);
  const [checked, setChecked] = useState<Edited['checked']>('no');
  const changed = text !== came;
  const { data, wrongJson } = parsed(text);
  useEffect(() => {
    setErrors([]);
    setChecked('no');
    if (!changed || wrongJson !== undefined) return undefined;
    setChecked('checking');
    let over = false;
    const timer = setTimeout(async () => {
      const found = await check(id, module, data);
      if (over) return;
      setErrors(found);
      setChecked('yes');
    }, PAUSE_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [text, came]);
  return {
    text,
    type: (typed) => (typed === came ? draft.forget() : draft.keep(typed)),
    reset: draft.forget,
    changed,
    inLine: changed && wrongJson === undefined ? JSON.stringify(data) : undefined,
    data,
    wrongJson,
    errors,
    checked,
  };
}

async function check(id: string, module: string, data: unknown): Promise<readonly ProblemOfField[]> {
  try {
    const { works, error, errors } = await send<Tried>('POST', `/admin/events/dead/${id}/try`, {
      module,
      data,
      checkOnly: true,
    });
    return works ? [] : (errors ?? [{ path: '', message: error ?? 'cannot be read' }]);
  } catch (error) {
    return error instanceof Problem
      ? [{ path: '', message: `was not checked: ${error.message}` }, ...error.errors]
      : [];
  }
}

function parsed(text: string): { data: unknown; wrongJson: string | undefined } {
  try {
    return { data: JSON.parse(text), wrongJson: undefined };
  } catch (error) {
    return { data: undefined, wrongJson: (error as Error).message };
  }
}

export function EventData({ letter, edited }: { letter: LetterDetails; edited: Edited }) {
  const id = useId();
  const { text, type, reset, changed, wrongJson, errors, checked } = edited;
  const wrong = (changed && wrongJson !== undefined) || errors.length > 0;
  const over = isOver(letter);
  return html`<section class="letter-data" aria-labelledby=${`${id}-title`}>
    <div class="spread">
      <h2 id=${`${id}-title`}>Data</h2>
      <div class="row">${over ? html`<span class="quiet">As it was last.</span>` : html`<${Word} edited=${edited} />`}${changed ? html`<button type="button" class="small" onClick=${reset}>As it came</button>` : null}</div>
    </div>
    <label class="heard" for=${`${id}-text`}>Data of the event, as JSON</label>
    <textarea id=${`${id}-text`} readonly=${over} spellcheck=${false} autocomplete="off" value=${text} rows=${Math.min(30, text.split('\n').length + 1)}
      aria-invalid=${wrong ? 'true' : undefined} aria-describedby=${`${id}-wrong`}
      onInput=${(event: Event) => type((event.currentTarget as HTMLTextAreaElement).value)}></textarea>
    <div id=${`${id}-wrong`} role="status">
      ${changed && wrongJson !== undefined ? html`<p class="letter-wrong">Not JSON: ${wrongJson}</p>` : null}
      ${errors.length > 0 ? html`<ul class="letter-wrong">${errors.map(({ path, message }) => html`<li><code>${path || '/'}</code> ${message}</li>`)}</ul>` : null}
      ${changed && checked === 'yes' && errors.length === 0 ? html`<p class="quiet">Its consumer can read this. It stays in this tab until it is redriven.</p>` : null}
    </div>
    ${letter.text === null && letter.data === null && letter.raw !== null ? html`<p class="quiet">It came as ${letter.bytes} bytes that are no text: ${letter.raw.slice(0, 200)}</p>` : null}
  </section>`;
}

function Word({ edited: { changed, wrongJson, errors, checked } }: { edited: Edited }) {
  if (!changed) return html`<span class="quiet">As it came. Type to mend it.</span>`;
  if (wrongJson !== undefined || errors.length > 0) return html`<${Badge} tone="bad">Edited, and wrong<//>`;
  return checked === 'checking'
    ? html`<${Badge} tone="busy">Checking<//>`
    : html`<${Badge} tone="good">Edited<//>`;
}
