// Two reads of one thing are made at two moments, and what they read may have moved between them. So where the second says
// something else, the near side reads once more: a place at which it then differs from itself had moved, and says nothing of
// this request. Whoever is wrong at a place that stands still is found nevertheless.
// It knows neither which of the two was the service's, nor what is noise.
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Compared } from './comparison.ts';

/** It may meet a lock, or others that are only tried. */
const ATTEMPTS = 3;
const APART_MS = 20;

export interface Reads {
  /** The first of the near side. */
  readonly first: Answer;
  readonly other: Answer;
  readonly compare: (near: Answer, other: Answer) => Compared;
  /** The places of it that would count as different. */
  readonly counting: (compared: Compared) => readonly string[];
  /** Undefined: nothing came of it. */
  readonly readAgain: () => Promise<Answer | undefined>;
}

/** The two compared, without the places that moved meanwhile. */
export async function comparedAtRest({
  first,
  other,
  compare,
  counting,
  readAgain,
}: Reads): Promise<Compared> {
  const found = compare(first, other);
  if (counting(found).length === 0) return found;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const now = await readAgain();
    if (now) {
      const moved = new Set(counting(compare(first, now)));
      return { ...found, differences: found.differences.filter(({ path }) => !moved.has(path)) };
    }
    await pause(APART_MS);
  }
  return found;
}
