// The pieces of the ladder's rehearsal that nothing else in this suite proves, small: `npm run rehearse -- ladder` does the same
// at full size. Shadows that leave nothing are test/shadow-traces.long.test.ts's, and defects defects.long.test.ts's.
import { expect, test } from 'vitest';
import { playClimb } from './climb.ts';
import { playSimulation } from './simulation.ts';

const lines: string[] = [];
const play = { say: (line: string) => lines.push(line), signal: new AbortController().signal };

test('a ladder climbs to its end under the mix of requests', async () => {
  const steps = { module: 'orders', steps: '50,100', minSeconds: 1, minRequests: 10 };
  const { wrong, table } = await playClimb({ ...play, ...steps, requests: 100, perSecond: 25, seed: 4 });
  expect(wrong, lines.join('\n')).toEqual([]);
  expect(table.at(-1)).toEqual(['end of the command', '0']);
});

test('ladders by dice are told by truth, and a promise that does not hold is named', async () => {
  const { table, wrong } = await playSimulation({ ...play, runs: 1, perSecond: 400, seed: 4 });
  expect(table).toContainEqual(
    expect.arrayContaining(['5 % against 0', 'whole', 'at most 1 % promoted', '0.0 %']),
  );
  expect(wrong.join('\n')).not.toMatch(/^5 % against 0/m);
});
