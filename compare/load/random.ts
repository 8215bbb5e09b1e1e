// Randomness that is the same for the same seed, on every machine: what makes two topologies get the same requests.

/** Uniform in [0, 1). mulberry32: 2^32 states, which is plenty for choosing products. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Another stream for the same seed, by name: adding one draw somewhere does not shift all others. */
export function seedOf(seed: number, ...names: readonly (string | number)[]): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const char of names.join('/')) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  return hash >>> 0;
}

/** Index 0 … weights.length - 1, by weight. */
export function chooser(weights: readonly number[]): (draw: number) => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const upTo = weights.map((weight) => {
    sum += weight;
    return sum / total;
  });
  return (draw) => {
    let low = 0;
    let high = upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (draw < upTo[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Zipf: the i-th most wanted is chosen in proportion to 1 / i^exponent; 0 is an even choice. */
export function zipf(count: number, exponent: number): (draw: number) => number {
  return chooser(Array.from({ length: count }, (_, index) => (index + 1) ** -exponent));
}
