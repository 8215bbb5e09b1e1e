// A module's job as a background task: runs when woken and at its interval, one run at a time on this host. What wakes
// it alone finds it ready; what wakes it all the time finds it in rounds, each for all that became due meanwhile.
// It knows nothing of what the job does; claiming rows is the job's own duty.
import { setTimeout as rest } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BackgroundTask } from './background.ts';
import type { Job } from './job.ts';

/** From the beginning of one run to that of the next, unless the job says that there is more. */
const ROUND_MS = 20;

export interface JobTask extends BackgroundTask {
  /** Run soon; a wake during a run means one more run after it. */
  wake(): void;
}

export function createJobTask(job: Job, log: Logger): JobTask {
  let abort: AbortController | undefined;
  let loop: Promise<void> = Promise.resolve();
  let wakeUp = () => {};
  let woken = false;

  const pause = () =>
    new Promise<void>((resolve) => {
      if (woken || abort?.signal.aborted) {
        resolve();
        return;
      }
      const timer = setTimeout(resolve, job.everyMs);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const run = async (signal: AbortSignal) => {
    let failures = 0;
    while (!signal.aborted) {
      const next = performance.now() + ROUND_MS;
      woken = false;
      let more = false;
      try {
        more = await job.run(signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        // The first failures are told apart from an outage: one line each, then one in a hundred.
        if (failures <= 3 || failures % 100 === 0)
          log.error({ err: error, job: job.name, failures }, 'a job failed; it runs again');
      }
      if (more) continue;
      await pause();
      const early = next - performance.now();
      if (early > 0) await rest(early);
    }
  };

  return {
    name: job.name,
    wake() {
      woken = true;
      wakeUp();
    },
    async start() {
      abort = new AbortController();
      loop = run(abort.signal);
    },
    async stop() {
      abort?.abort();
      wakeUp();
      await loop;
    },
  };
}
