// The moves of a store rehearsed, small: `npm run rehearse -- store` does the same with a million rows.
import { expect, test } from 'vitest';
import { rehearseStore } from './rehearsal.ts';

test('4 moves of 20,000 rows there and back under orders: none fails, none is lost, every row is compared', async () => {
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
  const outcome = await rehearseStore({
    rows: 20_000,
    perSecond: 20,
    readsPerSecond: 5,
    moves: 4,
    mostMs: 120_000,
    beforeMs: 1_500,
    say,
  });
  expect(outcome.wrong, lines.join('\n')).toEqual([]);
  expect(outcome.moves.map(({ to }) => to)).toEqual(
    ['own', 'shared', 'own', 'shared'].slice(0, outcome.moves.length),
  );
  expect(outcome.moves.length, lines.join('\n')).toBeGreaterThan(1);
  for (const { rowsCompared } of outcome.moves) expect(rowsCompared).toBeGreaterThan(20_000);
});
