// The dialog that starts a comparison: shapes, work, length, and the command that does the same.
import type { Comparison } from '../../../admin/comparisons-contract.ts';
import { send } from '../kit/api.ts';
import { quoted } from '../kit/command.ts';
import { Confirm } from '../kit/confirm.ts';
import { html, useState } from '../kit/html.ts';
import { system } from '../kit/system.ts';

const LENGTHS = [
  ['quick', 'quick: under a minute, and rough'],
  ['default', 'default: 5 minutes'],
  ['full', 'full: with capacity and all faults, about 22 minutes'],
] as const;

export function Start({
  works,
  onClose,
  onStarted,
}: {
  works: readonly string[];
  onClose: () => void;
  onStarted: (begun: Comparison) => void;
}) {
  const [a, setA] = useState('monolith');
  const [b, setB] = useState('services');
  const [work, setWork] = useState(works.includes('mixed') ? 'mixed' : (works[0] ?? ''));
  const [length, setLength] = useState<string>('quick');
  const shapes = ['monolith', 'services', ...system.modules.map((module) => `services:${module}`)];
  const words = [
    'banyan compare',
    '--a',
    quoted(a),
    '--b',
    quoted(b),
    '--work',
    work,
    ...(length === 'default' ? [] : [`--${length}`]),
  ];
  const begin = async () =>
    onStarted(await send<Comparison>('POST', '/admin/compares', { a, b, work, length }));
  const text = (set: (value: string) => void) => (event: Event) =>
    set((event.target as HTMLInputElement).value.trim());
  return html`<${Confirm} title="Start a comparison" button="Start" needs="compare" command=${words.join(' ')} onConfirm=${begin} onClose=${onClose}
    unready=${a && b ? undefined : 'Name both shapes.'}>
    <datalist id="shapes">${shapes.map((one) => html`<option key=${one} value=${one} />`)}</datalist>
    <label>One side (A)<input name="a" list="shapes" value=${a} onInput=${text(setA)} autocomplete="off" /></label>
    <label>The other (B)<input name="b" list="shapes" value=${b} onInput=${text(setB)} autocomplete="off" /></label>
    <p class="quiet hint">monolith, services, services:one,two or services:one x2</p>
    <label>Work<select name="work" value=${work} onChange=${text(setWork)}>${works.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}</select></label>
    <label>Length<select name="length" value=${length} onChange=${text(setLength)}>${LENGTHS.map(([one, said]) => html`<option key=${one} value=${one}>${said}</option>`)}</select></label>
  <//>`;
}
