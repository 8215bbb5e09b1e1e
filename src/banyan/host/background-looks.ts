// How the background work of modules does, second by second, for whoever judges where it runs. Each look answers what is known
// and has the next one made meanwhile, so that nobody waits for a store or a log; what did not answer is not known.
import type { Logger } from 'pino';
import type { ProgressMark } from '../events/progress.ts';
import type { RunningModule } from './boot-module.ts';

/** Work is behind when the oldest event has waited for longer than a relay's lease and some rounds, or stood in the log so long. */
const MOST_OUTBOX_SECONDS = 10;
const MOST_LAG_SECONDS = 30;
/** The log is asked less often: Kafka answers for every partition. */
const LAG_EVERY_MS = 5_000;

export interface BackgroundLook {
  readonly attempts: { readonly n: number; readonly bad: number };
  readonly behind: { readonly lag: boolean; readonly outbox: boolean };
}

interface Known {
  looking: boolean;
  look: BackgroundLook | undefined;
  mark: ProgressMark | undefined;
  lag: boolean;
  lagAt: number;
}

export class BackgroundLooks {
  readonly #modules: ReadonlyMap<string, RunningModule>;
  readonly #log: Logger;
  readonly #known = new Map<string, Known>();

  constructor(modules: readonly RunningModule[], log: Logger) {
    this.#modules = new Map(modules.map((one) => [one.name, one]));
    this.#log = log;
  }

  /** Since the last time; undefined where nothing is known. */
  of(module: string): BackgroundLook | undefined {
    const running = this.#modules.get(module);
    if (!running) return undefined;
    let known = this.#known.get(module);
    if (!known) {
      known = { looking: false, look: undefined, mark: undefined, lag: false, lagAt: 0 };
      this.#known.set(module, known);
    }
    const { look } = known;
    known.look = undefined;
    if (!known.looking) void this.#next(running, known);
    return look;
  }

  async #next({ name, events }: RunningModule, known: Known): Promise<void> {
    known.looking = true;
    try {
      if (performance.now() - known.lagAt > LAG_EVERY_MS) {
        known.lagAt = performance.now();
        const { lag } = await events.stats();
        known.lag = lag?.some(({ seconds }) => (seconds ?? 0) > MOST_LAG_SECONDS) ?? false;
      }
      const { mark, handled, failed, outboxSeconds } = await events.progress(known.mark);
      known.look = {
        attempts: { n: handled + failed, bad: failed },
        behind: { lag: known.lag, outbox: outboxSeconds > MOST_OUTBOX_SECONDS },
      };
      known.mark = mark;
    } catch (error) {
      this.#log.debug({ err: error, module: name }, 'background work could not be looked at');
    }
    known.looking = false;
  }
}
