// How a process stands and how the one before it ended, in words that say each once. Pure.
import type { PictureInstance } from '../../shared/picture-shape.ts';
import { type Standing, standingOf } from '../../shared/standing.ts';
import type { Tone } from './badge.ts';

const TONES: Readonly<Record<Standing, Tone>> = {
  healthy: 'good',
  draining: 'warn',
  starting: 'busy',
  down: 'bad',
};

export function stateOf(one: PictureInstance): { tone: Tone; word: Standing } {
  const word = standingOf(one);
  return { tone: TONES[word], word };
}

/** `ended by SIGKILL`, `ended with exit code 1, …`; undefined: it is not known, or the process is well. */
export function endOf({ healthy, lastExit }: PictureInstance): string | undefined {
  if (healthy || !lastExit) return undefined;
  if (lastExit === 'gone') return 'it is gone; how it ended is not known';
  return lastExit.replace(/^gone, /, 'it is gone: ').replace(/^exit code/, 'ended with exit code');
}
