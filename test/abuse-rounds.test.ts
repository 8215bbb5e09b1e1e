// From the rounds of an abuse to its rows: what is paired with what, and what becomes of a round without figures.
import { describe, expect, it } from 'vitest';
import { type Outcome, pairsOf, rowsOf, type Side } from '../bench/abuse/rounds.ts';

const what = 'orders a second';
const round = (number: number, side: Side, value: number | undefined | 'void'): Outcome => ({
  round: number,
  side,
  figures:
    value === undefined ? undefined : value === 'void' ? [] : [{ what, value, unit: '', asBefore: true }],
});

/** As it runs: the order of the sides alternates. */
const gaveWayBefore = [
  round(1, 'before', undefined),
  round(1, 'now', 100),
  round(2, 'now', 200),
  round(2, 'before', 200),
  round(3, 'before', 300),
  round(3, 'now', 300),
];

describe('rounds of an abuse', () => {
  it('are paired by their number, whichever of them have no figures', () => {
    expect(pairsOf(what, gaveWayBefore)).toEqual([
      { round: 2, before: 200, now: 200 },
      { round: 3, before: 300, now: 300 },
    ]);
    expect(pairsOf(what, [round(1, 'now', 1), round(2, 'before', 1)])).toEqual([]);
  });

  it('say in which of them the product before gave way, and how many are compared', () => {
    expect(rowsOf('usual', gaveWayBefore)).toEqual([
      `| ${what} | 250 (200 to 300) | 200 (100 to 300) | | |`,
      '| … beside before (2 of 3 rounds have both) | | 1.00 (1.00 to 1.00) x | at least 0.95x | met |',
      '| usual: gave way | in round 1 of 3 | in none of 3 rounds | never | met |',
    ]);
  });

  it('meet no goal once the product of now gave way', () => {
    const figures = [{ what: 'pulse', value: 1, unit: 'ms', goal: { at: 'most', value: 50 } }] as const;
    const rows = rowsOf('json', [
      { round: 1, side: 'now', figures },
      { round: 2, side: 'now', figures: undefined },
    ]);
    expect(rows).toEqual([
      '| pulse | n/a | 1 ms | at most 50 ms | MISSED |',
      '| json: gave way | n/a | in round 2 of 2 | never | MISSED |',
    ]);
  });

  it('are told of a product that gave way in all of them, and of one that alone has figures', () => {
    const all = [round(1, 'before', 10), round(1, 'now', undefined)];
    expect(rowsOf('usual', all)).toEqual([
      `| ${what} | 10 | n/a | | |`,
      '| … beside before (0 of 1 rounds have both) | | n/a | at least 0.95x | MISSED |',
      '| usual: gave way | in none of 1 rounds | in round 1 of 1 | never | MISSED |',
    ]);
    expect(rowsOf('json', [round(1, 'now', undefined)])).toHaveLength(1);
  });

  it('that do not count are named, and no fault of the product', () => {
    expect(rowsOf('overload', [round(1, 'now', 'void'), round(2, 'now', 5)])).toEqual([
      `| ${what} | n/a | 5 | | |`,
      '| overload: did not count | n/a | in round 1 of 2 | | |',
    ]);
  });
});
