// Numbers as people compare them.

/** `0.4 ms`, `38 ms`, `2.31 s`. */
export function ms(value: number): string {
  if (value < 0.05) return '0 ms';
  if (value < 1) return `${value.toFixed(1)} ms`;
  if (value < 1_000) return `${Math.round(value)} ms`;
  return `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)} s`;
}
