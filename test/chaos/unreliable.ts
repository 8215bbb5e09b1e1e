// A log that for a while delivers as badly as a log may: late, twice, and old batches again beside newer ones;
// appends arrive twice, and once more when nobody expects them. Everything here is within "at least once".
import type { Batch, EventLog, LogRecord } from '../../src/banyan/log/port.ts';
import type { Random } from './random.ts';

export interface Unreliable extends EventLog {
  disturb(ms: number): void;
}

const LONGEST_DELAY_MS = 700;
const LATEST_REPEAT_MS = 3_000;

export function unreliable(log: EventLog, random: Random): Unreliable {
  let until = 0;
  const disturbed = () => Date.now() < until;
  const late = (work: () => Promise<void>) =>
    setTimeout(() => work().catch(() => {}), random.between(50, LATEST_REPEAT_MS)).unref();
  return {
    appendEveryMs: log.appendEveryMs,
    kind: log.kind,
    disturb(ms) {
      until = Date.now() + ms;
    },
    ensureTopics: (topics) => log.ensureTopics(topics),
    async append(topic: string, records: readonly LogRecord[]) {
      await log.append(topic, records);
      if (!disturbed()) return;
      await log.append(topic, records);
      late(() => log.append(topic, records));
    },
    subscribe: (options) =>
      log.subscribe({
        ...options,
        async onBatch(batch: Batch) {
          if (disturbed()) {
            await new Promise((resolve) => setTimeout(resolve, random.between(0, LONGEST_DELAY_MS)));
            late(() => options.onBatch(batch));
            await options.onBatch(batch);
          }
          await options.onBatch(batch);
        },
      }),
    lag: (group, topics) => log.lag(group, topics),
    inspect: (topics) => log.inspect(topics),
    read: (topic, options) => log.read(topic, options),
    close: () => log.close(),
  };
}
