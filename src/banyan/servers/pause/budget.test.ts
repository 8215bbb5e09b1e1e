// How long a pause took is said in one place, its figures: why it came to nothing names the part alone.
import { expect, test } from 'vitest';
import { Budget, OverBudget } from './budget.ts';

test('what takes too long is named with the budget, and what it took is in the figures', async () => {
  const budget = new Budget(20);
  const never = budget.spend('marker', () => new Promise(() => {}));
  await expect(never).rejects.toThrow(new OverBudget('no time was left of 20 ms (marker)'));
  expect(Object.keys(budget.numbers)).toEqual(['marker']);
});
