// The chaos of the checkout, small: the seed decides about cards, cancellations, moves, shares and kills.
import { expect, test } from 'vitest';
import { campaign } from './saga-chaos/campaign.ts';

test('120 orders while modules move, styles change and processes are killed: all final, the sums hold', async () => {
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
  const outcome = await campaign({ log: 'postgres', orders: 120, seed: 5, rate: 8, say });
  expect(outcome.wrong, lines.join('\n')).toEqual([]);
  expect(outcome.flips + outcome.shares).toBeGreaterThan(0);
  expect(outcome.kills).toBeGreaterThan(0);
  expect(outcome.styleChanges).toBeGreaterThan(2);
});
