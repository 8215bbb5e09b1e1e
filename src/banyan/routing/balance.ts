// Which of several instances gets the next request or call: the one with the least under way; in turn where they are
// equal, or a lone client would only ever see the first.

/** Added to the load of an instance that may be gone: it is asked when no other is left. */
export const SUSPECT_PENALTY = 1e9;

/**
 * @param turn grows with every choice. @param loadOf how much is under way there; Infinity: not to be asked.
 * Undefined when nobody may be asked.
 */
export function leastBusy<T>(
  candidates: readonly T[],
  turn: number,
  loadOf: (candidate: T) => number,
): T | undefined {
  const { length } = candidates;
  let best: T | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < length; i += 1) {
    const candidate = candidates[(turn + i) % length]!;
    const load = loadOf(candidate);
    if (load < least) {
      least = load;
      best = candidate;
    }
  }
  return best;
}
