// What the data of one event is: its fields, and the JSON Schema whole.
import type { Known } from '../../../admin/catalogue-contract.ts';
import { html } from '../kit/html.ts';

export type { Known } from '../../../admin/catalogue-contract.ts';

interface Field {
  readonly type?: string | string[];
  readonly format?: string;
  readonly description?: string;
  readonly anyOf?: readonly Field[];
  readonly const?: unknown;
}

export function Schema({ event }: { event: Known }) {
  const { properties = {}, required = [] } = event.schema as {
    properties?: Record<string, Field>;
    required?: string[];
  };
  return html`<section aria-label=${`The data of ${event.type}`}><h3>${event.type}</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Its fields"><table class="stack"><caption class="heard">Its fields</caption>
      <thead><tr><th scope="col">Field</th><th scope="col">Is</th><th scope="col">Always there</th><th scope="col">What it says</th></tr></thead>
      <tbody>${Object.entries(properties).map(
        ([
          name,
          field,
        ]) => html`<tr key=${name}><th scope="row" data-title="Field"><code>${name}</code></th><td data-title="Is">${kindOf(field)}</td>
          <td data-title="Always there">${required.includes(name) ? 'yes' : 'no'}</td><td data-title="What it says">${field.description ?? ''}</td></tr>`,
      )}</tbody></table></div>
    <details><summary>JSON Schema</summary><pre>${JSON.stringify(event.schema, null, 2)}</pre></details></section>`;
}

function kindOf({ type, format, anyOf, const: only }: Field): string {
  if (only !== undefined) return JSON.stringify(only);
  if (anyOf) return anyOf.map(kindOf).join(' or ');
  return `${[type ?? 'any'].flat().join(' or ')}${format ? ` (${format})` : ''}`;
}
