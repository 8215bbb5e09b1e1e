// How a comparison stands, in a word.
import type { ComparisonState } from '../../../admin/comparisons-contract.ts';
import { Badge, type Tone } from '../kit/badge.ts';
import { html } from '../kit/html.ts';

const STATES: Readonly<Record<ComparisonState, readonly [Tone, string]>> = {
  running: ['busy', 'running'],
  done: ['good', 'done'],
  failed: ['bad', 'broke off'],
  cancelled: ['plain', 'cancelled'],
  lost: ['warn', 'its host was gone'],
};

export function StateBadge({ state }: { state: ComparisonState }) {
  const [tone, words] = STATES[state];
  return html`<${Badge} tone=${tone}>${words}<//>`;
}
