// The chaos of the checkout, small: the seed decides about cards, cancellations, moves, shares, ladders, stores and kills.
import { expect, test } from 'vitest';
import { campaign } from './saga-chaos/campaign.ts';

test('200 orders while modules move and climb, stores move, styles change and processes are killed: all final, the sums hold', async () => {
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
  const outcome = await campaign({ log: 'postgres', orders: 200, seed: 5, rate: 8, say });
  expect(outcome.wrong, lines.join('\n')).toEqual([]);
  const { flips, shares, styleChanges, kills, judgesKilled, ladders, mirrors } = outcome;
  expect(flips + shares).toBeGreaterThan(0);
  expect(outcome.moves.moved).toBeGreaterThan(0);
  expect(kills).toBeGreaterThan(0);
  expect(styleChanges).toBeGreaterThan(2);
  // What evidence came to in so short a time is the machine's to say.
  expect(Math.min(judgesKilled, ladders, mirrors)).toBeGreaterThan(0);
});
