// After a start the heap holds some 60 MB of pages full of what only the start needed, and V8 keeps them for
// later. One thorough collection in the first quiet moment gives them back (139 to 100 MB in the monolith, and
// as much in each service). It takes a tenth of a second, so it waits until nobody is served.
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

const LOOK_MS = 500;
/** Less than this share of the time was spent working: nobody waits. */
const QUIET = 0.05;
/** A host that is busy from the start keeps its pages: it uses them. */
const LOOKS = 60;

/** Answers what ends the waiting. */
export function collectGarbageWhenIdle(): () => void {
  let last = performance.eventLoopUtilization();
  let looks = 0;
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    looks += 1;
    if (utilization > QUIET && looks < LOOKS) return;
    clearInterval(timer);
    if (utilization <= QUIET) collect();
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}

function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
