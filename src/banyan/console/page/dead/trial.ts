// A dry run of a letter: whether its listener would come to its end with the data as it stands there, what it would publish,
// and what went wrong. All of it was rolled back.
import { send } from '../kit/api.ts';
import { Badge } from '../kit/badge.ts';
import { Command } from '../kit/command.ts';
import { html, useState, type VNode } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { tryOne } from './commands.ts';
import type { Edited } from './data.ts';
import type { LetterDetails, Tried } from './shape.ts';

export interface TrialOf {
  readonly run: () => void;
  readonly busy: boolean;
  readonly shown: VNode<never> | null;
}

export function useTrial({ id, module }: LetterDetails, edited: Edited): TrialOf {
  const [busy, setBusy] = useState(false);
  const [came, setCame] = useState<{ tried: Tried; text: string } | undefined>(undefined);
  const [problem, setProblem] = useState<unknown>(undefined);
  const run = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const body = { module, ...(edited.changed ? { data: edited.data } : {}) };
      const tried = await send<Tried>('POST', `/admin/events/dead/${id}/try`, body);
      setCame({ tried, text: edited.text });
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const shown =
    problem !== undefined
      ? html`<${ProblemBox} problem=${problem} again=${run} />`
      : came
        ? html`<${Result} tried=${came.tried} stale=${came.text !== edited.text} />`
        : null;
  return { run: () => void run(), busy, shown };
}

function Result({ tried, stale }: { tried: Tried; stale: boolean }) {
  const { id, module, works, ran, error, stack, errors = [], disturbed, publishes, headers, tookMs } = tried;
  const [tone, word] = disturbed
    ? (['warn', 'Not known'] as const)
    : works
      ? (['good', 'It would work'] as const)
      : (['bad', 'It would fail'] as const);
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
    <${Command} text=${tryOne(id, module)} />
  </section>`;
}
