// Each defect found at its rung, small: `npm run rehearse -- ladder defects` does the same on the rungs that are advised.
import { expect, test } from 'vitest';
import { defects, SMALL } from './defects.ts';

test('each defect is found at the first rung that can show it, in words, and nothing climbs past it', async () => {
  const lines: string[] = [];
  const { found, wrong } = await defects(SMALL, (line) => lines.push(line));
  expect(wrong, lines.join('\n')).toEqual([]);
  expect(found.map(({ name, state }) => `${name}: ${state}`)).toEqual([
    'another status: demoted',
    'one field of an answer: demoted',
    'a missing event: demoted',
    'memory that grows until it is killed: demoted',
    '20 ms on every request: demoted',
    '1 % of 500s: demoted',
  ]);
});
