// A dry run of a letter: whether its listener would come to its end with the data as it stands there, what it would publish,
// and what went wrong. All of it was rolled back. Its verdict is carried into the dialog of the redrive.
import { send } from '../kit/api.ts';
import { Badge, type Tone } from '../kit/badge.ts';
import { Command } from '../kit/command.ts';
import { html, useState, type VNode } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { beforehand, tryOne } from './commands.ts';
import type { Edited } from './data.ts';
import type { LetterDetails, Tried } from './shape.ts';

export type Verdict = 'works' | 'fails' | 'unknown';

const VERDICTS: Readonly<Record<Verdict, readonly [Tone, string]>> = {
  works: ['good', 'It would work'],
  fails: ['bad', 'It would fail'],
  unknown: ['warn', 'Not known'],
};

export interface Trial {
  readonly run: () => void;
  readonly busy: boolean;
  /** Of the data as it stands there now; undefined: that was not tried. */
  readonly verdict: Verdict | undefined;
  /** What went wrong, in a line. */
  readonly error: string | undefined;
  readonly shown: VNode<never> | null;
}

const verdictOf = ({ works, disturbed }: Tried): Verdict =>
  disturbed ? 'unknown' : works ? 'works' : 'fails';

interface Came {
  readonly tried: Tried;
  readonly text: string;
  readonly command: string;
}

export function useTrial({ id, module }: LetterDetails, edited: Edited): Trial {
  const [busy, setBusy] = useState(false);
  const [came, setCame] = useState<Came | undefined>(undefined);
  const [problem, setProblem] = useState<unknown>(undefined);
  const run = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const { changed, data, text, inLine } = edited;
      const tried = await send<Tried>('POST', `/admin/events/dead/${id}/try`, {
        module,
        ...(changed ? { data } : {}),
      });
      setCame({ tried, text, command: tryOne(id, module, inLine) });
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const stale = came !== undefined && came.text !== edited.text;
  const { tried } = came && !stale ? came : {};
  const shown =
    problem !== undefined
      ? html`<${ProblemBox} problem=${problem} again=${run} />`
      : came
        ? html`<${Result} came=${came} stale=${stale} before=${stale ? undefined : beforehand(edited.inLine)} />`
        : null;
  const error = tried?.disturbed ?? tried?.error;
  return { run: () => void run(), busy, verdict: tried && verdictOf(tried), error, shown };
}

/** In the dialog of a redrive: what the dry run came to, or that there was none. */
export function Beforehand({ trial: { verdict, error, busy, run } }: { trial: Trial }) {
  if (verdict === undefined)
    return html`<div class="notice" role="status"><p><strong>Not tried.</strong> Whether it would work is not known. Try runs the listener and rolls all of it back.</p>
      <button type="button" data-focus onClick=${run} disabled=${busy}>${busy ? 'Trying…' : 'Try first'}</button></div>`;
  const [tone, word] = VERDICTS[verdict];
  const then = {
    works: 'Tried with this data; nothing of it took effect.',
    fails: 'Redriven as it is, it will be a dead letter again.',
    unknown: 'The dry run met something that says nothing of the event.',
  }[verdict];
  return html`<p role="status"><${Badge} tone=${tone}>${word}<//> ${then}${error === undefined ? null : html` <span class="quiet">${error}</span>`}</p>`;
}

interface ResultProps {
  readonly came: Came;
  /** The data was changed since. */
  readonly stale: boolean;
  /** What has to be done before the command. */
  readonly before: string | undefined;
}

function Result({ came: { tried, command }, stale, before }: ResultProps) {
  const { works, ran, error, stack, errors = [], disturbed, publishes, headers, tookMs } = tried;
  const [tone, word] = VERDICTS[verdictOf(tried)];
  return html`<section class="card letter-tried" role="status" aria-label="Dry run">
    <div class="spread"><h3><${Badge} tone=${tone}>${word}<//></h3><span class="quiet">${ran ? `The listener ran ${tookMs} ms.` : 'The listener was not called.'} Nothing of it took effect.</span></div>
    ${stale ? html`<p class="quiet">The data was changed since.</p>` : null}
    ${disturbed ? html`<p>It says nothing of the event: ${disturbed}</p>` : error ? html`<p>${error}</p>` : null}
    ${errors.length > 0 ? html`<ul class="letter-wrong">${errors.map(({ path, message }) => html`<li><code>${path || '/'}</code> ${message}</li>`)}</ul>` : null}
    ${stack && !disturbed ? html`<details><summary>Stack</summary><pre>${stack}</pre></details>` : null}
    ${works && publishes.length === 0 ? html`<p>It would publish nothing.</p>` : null}
    ${publishes.map(
      (one, n) =>
        html`<div key=${n}><p>It would publish <strong>${one.type}</strong> of <code>${one.key}</code>:</p><pre>${JSON.stringify(one.data, null, 2)}</pre></div>`,
    )}
    ${headers.length > 0 ? html`<p class="quiet">A redrive makes new or leaves out: ${headers.map(({ name, after }) => `${name}${after === null ? ' (left out)' : ''}`).join(', ')}.</p>` : null}
    ${before === undefined ? null : html`<p class="quiet">${before}</p>`}
    <${Command} text=${command} />
  </section>`;
}
