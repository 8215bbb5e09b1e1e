// The diagrams of the checkout in ARCHITECTURE.md are what the code gives: `npm run diagrams` draws them anew.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { choreographyDiagram, committed, orchestrationDiagram, watchChoreography } from './saga/diagrams.ts';
import { openStage } from './saga-chaos/stage.ts';

const document = readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8');

test('orchestration: its table of steps', () => {
  expect(committed(document, 'orchestration')).toBe(orchestrationDiagram());
});

test('choreography: what caused what in a real shop', async () => {
  const stage = await openStage('postgres');
  try {
    expect(committed(document, 'choreography')).toBe(choreographyDiagram(await watchChoreography(stage)));
  } finally {
    await stage.stop();
  }
});
