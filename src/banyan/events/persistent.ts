// A task that the host starts and stops, and that needs something which may be away when it is started: it tries until
// that answers or until it is no longer wanted.
import { type LogLogger, LogRefused } from '../log/port.ts';

/** What the host starts where the placement has been stable; the host's own type says the same. */
export interface EventTask {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const START_PAUSE_MS = 1_000;

/** A task that starts as soon as what it needs answers, and tries for as long as it is wanted. */
export function persistent(
  name: string,
  log: LogLogger,
  {
    start,
    onFailure,
  }: { start: () => Promise<(() => Promise<void>) | undefined>; onFailure?: (error: unknown) => void },
): EventTask {
  let wanted = false;
  let end: (() => Promise<void>) | undefined;
  let starting: Promise<void> = Promise.resolve();
  let rouse = () => {};
  const attempt = async () => {
    while (wanted && !end) {
      try {
        end = (await start()) ?? (async () => {});
      } catch (error) {
        const level = error instanceof LogRefused ? 'error' : 'warn';
        log[level]({ err: error, task: name }, 'not started yet; trying again');
        onFailure?.(error);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, START_PAUSE_MS);
          rouse = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
  };
  return {
    name,
    async start() {
      if (wanted) return;
      wanted = true;
      starting = starting.then(attempt);
    },
    async stop() {
      wanted = false;
      rouse();
      await starting;
      await end?.();
      end = undefined;
    },
  };
}
