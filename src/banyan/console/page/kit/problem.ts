// A problem as people read it: what went wrong, where, and what they can do now.
import { NO_ANSWER, Problem } from './api.ts';
import { html } from './html.ts';

/** @param again what “Try again” does; absent: there is no such button. */
export function ProblemBox({ problem, again }: { problem: unknown; again?: () => void }) {
  const known =
    problem instanceof Problem ? problem : new Problem(NO_ANSWER, 'The page failed', String(problem));
  const next = nextStep(known);
  return html`<div class="problem" role="alert">
    <strong>${known.title}${known.status ? html` <span class="quiet">(${known.status})</span>` : null}</strong>
    ${known.detail ? html`<p>${known.detail}</p>` : null}
    ${
      known.errors.length > 0
        ? html`<ul>${known.errors.map(({ path, message }) => html`<li><code>${path || '/'}</code> ${message}</li>`)}</ul>`
        : null
    }
    ${next ? html`<p class="quiet">${next}</p>` : null}
    ${again ? html`<button type="button" onClick=${again}>Try again</button>` : null}
  </div>`;
}

function nextStep({ status }: Problem): string | undefined {
  if (status === NO_ANSWER) return 'If it does not come back, look at the terminal in which it runs.';
  if (status === 403) return 'Sign in with a token that has the scope, or ask somebody who has one.';
  if (status === 409) return 'Look at what is there now, then decide again.';
  if (status === 429) return 'Wait a moment before you try again.';
  if (status >= 500) return 'Try again in a moment; the log of the host says more.';
  return undefined;
}
