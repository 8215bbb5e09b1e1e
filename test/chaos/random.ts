// Random numbers from a seed (mulberry32), so that a run can be struck by the same schedule again.

export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number from 0 up to, not including, `below`. */
  below(below: number): number;
  between(low: number, high: number): number;
  pick<T>(some: readonly T[]): T;
  shuffled<T>(some: readonly T[]): T[];
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    between: (low, high) => low + next() * (high - low),
    pick: (some) => some[below(some.length)]!,
    shuffled(some) {
      const deck = [...some];
      for (let n = deck.length - 1; n > 0; n -= 1) {
        const other = below(n + 1);
        [deck[n], deck[other]] = [deck[other]!, deck[n]!];
      }
      return deck;
    },
  };
}
