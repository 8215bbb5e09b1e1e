// What is promised of ladders that dice climb, by the text of the promise and not by the judge's own bounds: of a far side
// that fails in 1 % more at most one in a hundred gets to the end of a whole ladder, and of one that is as the near side
// at least 95, also where it climbs no further than 1 %. How often the test of that rung alone errs is told, not promised.
import type { Outcomes } from '../../../src/banyan/ladder/testing/simulation.ts';

export const WAYS = {
  whole: { title: 'whole', wish: {} },
  first: { title: 'to 1 % alone', wish: { steps: ['1'] } },
} as const;

export interface Played {
  readonly way: keyof typeof WAYS;
  /** Which of TRUTHS. */
  readonly truth: number;
  readonly name: string;
  readonly good: boolean;
}

const LEAST_PROMOTED = 0.95;
const MOST_FALSE = 0.01;

export function limitsOf({ good, way }: Pick<Played, 'good' | 'way'>): {
  readonly promise: string;
  readonly broken: (outcomes: Outcomes) => string[];
} {
  const inPercent = (share: number) => `${(100 * share).toFixed(2)} %`;
  if (!good && way === 'first') return { promise: 'nothing', broken: () => [] };
  if (!good)
    return {
      promise: `at most ${100 * MOST_FALSE} % promoted`,
      broken: ({ promoted }) =>
        promoted > MOST_FALSE
          ? [`${inPercent(promoted)} promoted, which is more than ${100 * MOST_FALSE} %`]
          : [],
    };
  return {
    promise: `at least ${100 * LEAST_PROMOTED} % promoted`,
    broken: ({ promoted, demoted, paused }) =>
      promoted < LEAST_PROMOTED
        ? [
            `${inPercent(promoted)} promoted, which is less than ${100 * LEAST_PROMOTED} %; ${inPercent(demoted)} came down, ${inPercent(paused)} waited for traffic`,
          ]
        : [],
  };
}
