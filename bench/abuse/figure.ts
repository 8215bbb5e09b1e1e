// What an abuse comes to: figures with the goal they are judged by, and the words for several rounds of them.

export interface Figure {
  readonly what: string;
  readonly value: number;
  /** ms, MB, s, x, or nothing for a count. */
  readonly unit: '' | 'ms' | 's' | 'MB' | 'x' | '%';
  readonly goal?: { readonly at: 'most' | 'least'; readonly value: number };
  /** More is better, and it is to be what it was before: told as a ratio, round by round. */
  readonly asBefore?: boolean;
}

/** One abuse of a running product. `say` is for its progress. */
export type Abuse = (say: (line: string) => void) => Promise<Figure[]>;

/** Median, with the range where it was measured more than once; empty where nothing was. */
export function spreadOf(values: readonly number[], unit: Figure['unit']): string {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  if (sorted.length === 0) return '';
  const word = (value: number) => `${value.toFixed(unit === 'x' ? 2 : 0)}`;
  const middle = word(medianOf(sorted));
  const range = sorted.length > 1 ? ` (${word(sorted[0]!)} to ${word(sorted.at(-1)!)})` : '';
  return `${middle}${range}${unit === '' ? '' : ` ${unit}`}`;
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value below which that share of the values is; `share` 1 is the largest. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** `201: 12, 429: 188`, for the line that says what came. */
export function countsOf(statuses: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${status === 0 ? 'no answer' : status}: ${count}`)
    .join(', ');
}
