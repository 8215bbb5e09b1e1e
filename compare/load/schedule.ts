// When requests leave: Poisson arrivals (independent clients), the same for the same seed.

/** Moments in [0, ms), ascending, at `perSecond` on average. */
export function arrivals(perSecond: number, ms: number, random: () => number): number[] {
  const moments: number[] = [];
  for (let at = gap(perSecond, random); at < ms; at += gap(perSecond, random)) moments.push(at);
  return moments;
}

function gap(perSecond: number, random: () => number): number {
  return (-Math.log(1 - random()) / perSecond) * 1000;
}
