// Numbers that somebody else keeps, read when they are asked for. Guarantees: a reading that fails, or takes longer than four
// seconds, has no values, and keeps no other from being told; of one that hangs there is never a second. So a scrape answers
// while a database stands still, which is when it matters. It knows no registry.

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export type ReadSamples = () => Promise<readonly MetricSample[]> | readonly MetricSample[];

/** Longer than a store (2 s) or a log (3 s) is waited for by whoever then says that it does not answer; a scrape has 10 s. */
export const READING_MS = 4_000;

const nothing: readonly MetricSample[] = [];

/** Never rejects, and answers within `ms` milliseconds; who asks while one is under way shares it. */
export function inTime(read: ReadSamples, ms = READING_MS): () => Promise<readonly MetricSample[]> {
  let running: Promise<readonly MetricSample[]> | undefined;
  return async () => {
    running ??= (async () => read())()
      .catch(() => nothing)
      .finally(() => {
        running = undefined;
      });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<typeof nothing>((resolve) => {
      timer = setTimeout(resolve, ms, nothing);
    });
    const found = await Promise.race([running, late]);
    clearTimeout(timer);
    return found;
  };
}
