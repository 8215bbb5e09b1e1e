// Whether hosts may have kept the trace of a moment, by what the picture says of the recording: they record while somebody looks
// at traces and five minutes more, and have what they kept for half an hour after that (ADR 232). Asks nobody.
import type { Picture } from './picture-shape.ts';

const GONE_AFTER_MS = 30 * 60_000;

/**
 * False: no host has it. All times in milliseconds since the epoch.
 * @param recorded undefined: nobody has looked at traces.
 * @param at when the last of it happened; undefined: not known.
 */
export function mayBeKept(recorded: Picture['recorded'], at: number | undefined, now: number): boolean {
  if (recorded === undefined || now - recorded.until > GONE_AFTER_MS) return false;
  return at === undefined || (at >= recorded.since && at <= recorded.until);
}
