// An age as a filter takes it: a time, or how long ago.
import { line } from './fields.ts';
import { invalid } from './validation.ts';

export const olderThan = () =>
  line({
    minLength: 1,
    maxLength: 40,
    description: 'A time, or how long ago: 90s, 30m, 2h, 3d.',
    examples: ['2h'],
  });

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Before there was anything. */
const LONGEST_MS = 100 * 365 * UNITS.d!;

/** The moment that is meant. Throws the 422 problem. */
export function momentOf(text: string, field = 'olderThan'): Date {
  const ago = /^(\d{1,12}(?:\.\d{1,3})?)([smhd]?)$/.exec(text);
  if (ago) return new Date(Date.now() - Math.min(Number(ago[1]) * UNITS[ago[2] || 's']!, LONGEST_MS));
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw invalid([
      {
        path: `/${field}`,
        message: 'must be a time such as 2026-11-21T10:00Z, or how long ago: 90s, 30m, 2h, 3d',
      },
    ]);
  return new Date(at);
}
