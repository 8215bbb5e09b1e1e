// How a process of a service stands, wherever it is shown or counted: one word. Pure.
import type { PictureInstance } from './picture-shape.ts';

export type Standing = 'healthy' | 'draining' | 'starting' | 'down';

/** What ended and has not come up again is down, also while another one is on its way. */
export function standingOf({ healthy, draining, starting }: PictureInstance): Standing {
  if (draining) return 'draining';
  if (healthy) return 'healthy';
  return starting ? 'starting' : 'down';
}
