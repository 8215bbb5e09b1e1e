// Which traces are worth keeping, from the host that found out to all others: monoliths and gateways tell what they know and
// hear what the other has found, once a second, while traces are recorded. What was said is said again for some seconds, so
// that an exchange that fails loses nothing.
import type { InternalTokens } from '../identity/internal-token.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { type AskedHost, askHost } from './ask-host.ts';
import { MARKS_MS, MARKS_PATH, MOST_MARKS, readMarks } from './trace-report.ts';

const EVERY_MS = 1_000;
const WITHIN_MS = 900;
const MOST_BYTES = 512 * 1024;

export interface TraceMarks {
  /** Now, and not only when the second is over. */
  exchange(): Promise<void>;
  close(): void;
}

export function exchangeMarks(
  recorder: Recorder,
  others: () => Promise<readonly AskedHost[]>,
  tokens: Pick<InternalTokens, 'mint'>,
): TraceMarks {
  let running: Promise<void> | undefined;
  const once = async () => {
    const signal = AbortSignal.timeout(WITHIN_MS);
    const marks = recorder.marksSince(Date.now() - MARKS_MS, MOST_MARKS);
    const hosts = await others();
    await Promise.all(
      hosts.map(async (host) => {
        const question = { path: MARKS_PATH, body: { marks }, signal, mostBytes: MOST_BYTES };
        recorder.told(readMarks(await askHost(host, tokens, question)).marks);
      }),
    );
  };
  const exchange = () => {
    // Who does not answer is told the next time.
    running ??= once()
      .catch(() => {})
      .finally(() => {
        running = undefined;
      });
    return running;
  };
  const timer = setInterval(() => {
    if (recorder.enabled) void exchange();
  }, EVERY_MS).unref();
  return { exchange, close: () => clearInterval(timer) };
}
