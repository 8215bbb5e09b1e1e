// Hosts that do not go by a change yet, as a warning: the change is made, and they follow.
import { styleFor, type Terminal } from './terminal.ts';

/** @param what they do not do yet. */
export function warnOfLagging(
  terminal: Terminal,
  lagging: readonly string[] | undefined,
  what: string,
): void {
  if (!lagging?.length) return;
  const style = styleFor(terminal, terminal.err);
  terminal.err.write(`${style('yellow', 'slow')}  not after 2 s yet: ${lagging.join(', ')} ${what}\n`);
}
