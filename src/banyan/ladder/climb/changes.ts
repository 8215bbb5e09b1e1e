// Which moves of a ladder are worth telling, and what is said of them. Pure.
import { type Climb, placeInWords, rungInWords } from './steps.ts';

/** Another rung or state, or a person is waited for. Other numbers under the same verdict are none. */
export function isChange(before: Climb | undefined, after: Climb): boolean {
  if (before === undefined) return true;
  const shape = ({ state, rung, rungSince }: Climb) => JSON.stringify([state, rung, rungSince]);
  return shape(before) !== shape(after) || (after.ready && !before.ready);
}

/** What goes on behind the name of the module: `is at 10 %`. */
export function happened(before: Climb | undefined, { state, rung, rungSince, ready }: Climb): string {
  const at = placeInWords(rung);
  if (state === 'demoted') return `is back in-process, from ${rungInWords(before?.rung ?? rung)}`;
  if (state === 'done') return `has come to its end ${at}`;
  if (state === 'stopped') return `is on no ladder any more, ${at}`;
  if (state === 'paused') return `pauses ${at}`;
  if (ready) return `waits for a person ${at}`;
  if (before && before.rungSince === rungSince) return `goes on ${at}`;
  return `is ${at}`;
}
