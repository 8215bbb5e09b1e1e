// docs/events.md tells of the states and their changes what the code says of them.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { deliveryDiagram, deliveryMoves, deliveryStates } from '../src/banyan/events/delivery.ts';

const page = readFileSync(new URL('../docs/events.md', import.meta.url), 'utf8');

test('every state stands there with its meaning', () => {
  for (const [state, meaning] of Object.entries(deliveryStates))
    expect(page).toContain(`| ${state} | ${meaning} |`);
});

test('the picture is the one that the code draws', () => {
  expect(page).toContain(`\`\`\`mermaid\n${deliveryDiagram()}\n\`\`\``);
});

test('every state can be reached, and none but the last two is an end', () => {
  const from = new Set(deliveryMoves.map(([state]) => state));
  const to = new Set(deliveryMoves.map(([, state]) => state));
  for (const state of Object.keys(deliveryStates) as (keyof typeof deliveryStates)[]) {
    expect(to).toContain(state);
    expect(from.has(state), state).toBe(state !== 'done' && state !== 'dropped');
  }
});
