// A thread that only keeps time: it wakes the generator at every moment of the schedule. A timer of the event
// loop has steps of 1 ms and comes late while the loop is busy; a futex with a deadline is right to 0.1 ms and
// costs no CPU while it waits. It knows nothing of requests.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

export interface PacerData {
  /** Moments of `process.hrtime`, in milliseconds, ascending. */
  readonly moments: Float64Array;
}

/** The clock that all threads of a process share, in milliseconds. */
export const clock = (): number => Number(process.hrtime.bigint()) / 1e6;

if (!isMainThread && parentPort) {
  const { moments } = workerData as PacerData;
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  let last = 0;
  for (const moment of moments) {
    // Requests that are due within the same 0.05 ms leave together.
    if (moment - last < 0.05) continue;
    const wait = moment - clock();
    if (wait > 0) Atomics.wait(nothing, 0, 0, wait);
    parentPort.postMessage(0);
    last = clock();
  }
  parentPort.postMessage(1);
}
