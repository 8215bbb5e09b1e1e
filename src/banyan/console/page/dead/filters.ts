// The filter above the list of letters, as the URL has it.
import { Choice, FilterBar, Words } from '../kit/filters.ts';
import { html } from '../kit/html.ts';
import { query } from '../kit/router.ts';
import { system } from '../kit/system.ts';

export const STATES = [
  ['dead', 'dead'],
  ['waiting', 'waiting for its next try'],
  ['queued', 'queued behind its key'],
  ['early', 'early'],
  ['unknown-version', 'of an unknown version'],
] as const;

const AGES = [
  ['', 'any'],
  ['1m', 'more than 1 min'],
  ['10m', 'more than 10 min'],
  ['1h', 'more than 1 h'],
  ['1d', 'more than 1 d'],
  ['7d', 'more than 7 d'],
] as const;

export function Filters() {
  const { module = '', state = 'dead', olderThan = '' } = query.value;
  const ages = AGES.some(([age]) => age === olderThan) ? AGES : [...AGES, [olderThan, olderThan] as const];
  return html`<${FilterBar} names=${['module', 'type', 'reason', 'key', 'olderThan', 'state']}>
    <${Choice} label="Module" name="module" value=${module} options=${[['', 'all'], ...system.modules.map((one) => [one, one])]} />
    <${Words} label="Type" name="type" />
    <${Words} label="Reason" name="reason" />
    <${Words} label="Key" name="key" />
    <${Choice} label="Age" name="olderThan" value=${olderThan} options=${ages} />
    <${Choice} label="State" name="state" value=${state} options=${STATES} without="dead" />
  <//>`;
}
