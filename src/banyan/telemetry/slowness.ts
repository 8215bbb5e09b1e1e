// Which requests are slow for what they are: longer than 99 of 100 of their name. Of each name the last few hundred
// durations are known; before there are 100 nothing is called slow.

const REMEMBERED = 256;
const ENOUGH = 100;
/** After so many more the limit is worked out again. */
const EVERY = 32;
const MOST_NAMES = 500;

interface Known {
  readonly last: Float64Array;
  n: number;
  limit: number;
}

export class Slowness {
  readonly #names = new Map<string, Known>();

  /** Notes one, and says whether it is slow by those before it. */
  note(name: string, ms: number): boolean {
    let known = this.#names.get(name);
    if (!known) {
      if (this.#names.size >= MOST_NAMES) return false;
      known = { last: new Float64Array(REMEMBERED), n: 0, limit: Number.POSITIVE_INFINITY };
      this.#names.set(name, known);
    }
    const isSlow = ms > known.limit;
    known.last[known.n % REMEMBERED] = ms;
    known.n += 1;
    if (known.n >= ENOUGH && known.n % EVERY === 0) known.limit = limitOf(known);
    return isSlow;
  }

  clear(): void {
    this.#names.clear();
  }
}

function limitOf({ last, n }: Known): number {
  const sorted = last.slice(0, Math.min(n, REMEMBERED)).sort();
  return sorted[Math.ceil(sorted.length * 0.99) - 1]!;
}
