// Notices to a person or a program elsewhere (NOTIFY_URL): one POST each, in their order. Guarantees: whoever sends waits
// for nothing; so many wait at most, and the oldest goes first where there are more; each is tried a few times within a
// minute and then given up with one line. The address may hold a secret: no line says more of it than its host.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { request } from 'undici';

export interface Notice {
  /** One sentence: what chats show of it. */
  readonly text: string;
  readonly [field: string]: unknown;
}

export interface Notices {
  /** Never throws. */
  send(notice: Notice): void;
  /** Gives up what was not sent. */
  close(): void;
}

/** Where nobody is to be told. */
export const noNotices: Notices = { send() {}, close() {} };

const MOST = 100;
const TIMEOUT_MS = 5_000;
/** Before each further try. */
const WAITS_MS = [1_000, 4_000, 15_000];

export function createNotices(url: string, log: Logger, waitsMs: readonly number[] = WAITS_MS): Notices {
  const to = new URL(url).host;
  const waiting: Notice[] = [];
  const closing = new AbortController();
  let sending = false;

  const post = async (notice: Notice): Promise<void> => {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(notice),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await body.dump();
    if (statusCode >= 300) throw new Error(`it answered ${statusCode}`);
  };

  /** What was told to go away stays away: only an answer that may be another next time is worth a second try. */
  const deliver = async (notice: Notice): Promise<void> => {
    for (const wait of [...waitsMs, undefined]) {
      try {
        return await post(notice);
      } catch (error) {
        if (closing.signal.aborted) return;
        const { message, code } = error as NodeJS.ErrnoException;
        if (wait === undefined || /^it answered [34](?!08|29)/.test(message)) {
          log.warn({ to, error: code ?? message, notice: notice.text }, 'a notice could not be sent');
          return;
        }
        await pause(wait, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };

  const drain = async () => {
    sending = true;
    for (let next = waiting.shift(); next && !closing.signal.aborted; next = waiting.shift())
      await deliver(next);
    sending = false;
  };

  return {
    send(notice) {
      if (closing.signal.aborted) return;
      if (waiting.push(notice) > MOST) {
        waiting.shift();
        log.warn({ to }, 'too many notices wait; the oldest is given up');
      }
      if (!sending) void drain();
    },
    close: () => closing.abort(),
  };
}
