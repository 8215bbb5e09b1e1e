// From values to places on a chart, linear or by powers of ten, and the round values to name on the way.

export interface Scale {
  (value: number): number;
  readonly ticks: readonly number[];
}

type Pair = readonly [number, number];

/** 1, 2 or 5 times a power of ten: at most `count` steps. */
function niceStep(span: number, count: number): number {
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
}

/** From `low` (zero or less) to a round value beyond `max`. */
export function linear(max: number, [from, to]: Pair, count = 5, low = 0): Scale {
  const step = niceStep(max > 0 ? max : 1, count);
  const top = Math.ceil((max > 0 ? max : 1) / step - 1e-9) * step;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  return Object.assign((value: number) => from + ((value - low) / (top - low)) * (to - from), { ticks });
}

/** Values of 0 and less are drawn at the lowest one. */
export function logarithmic([low, high]: Pair, [from, to]: Pair): Scale {
  const bottom = Math.log10(low);
  const span = Math.log10(high) - bottom || 1;
  const place = (value: number) => from + ((Math.log10(Math.max(value, low)) - bottom) / span) * (to - from);
  return Object.assign(place, { ticks: logTicks(low, high) });
}

/** Powers of ten, with 2 and 5 times them where that leaves few. */
function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  const factors = decades > 3 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1)
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push(value);
    }
  return ticks;
}

/** The smallest and largest of what is above zero, widened to round values (1, 2, 5). */
export function roundRange(values: readonly number[]): Pair {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [0.1, 10];
  const down = (value: number) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return power * ([5, 2, 1].find((factor) => factor * power <= value * 1.0001) ?? 1);
  };
  const up = (value: number) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return power * ([1, 2, 5, 10].find((factor) => factor * power >= value * 0.9999) ?? 10);
  };
  const low = down(Math.min(...positive));
  const high = up(Math.max(...positive));
  return low === high ? [low / 2, high * 2] : [low, high];
}
