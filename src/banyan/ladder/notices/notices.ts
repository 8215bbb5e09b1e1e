// Notices to a person or a program elsewhere (NOTIFY_URL): one POST each, in their order, at least once; each has an `id`,
// so that who gets one again can drop it. Guarantees: nobody waits for a POST; each is tried a few times within half a
// minute and then given up with one line; what a host leaves when it ends another one sends, or it itself when it is back.
// The address may hold a secret: no line says more of it than its host.
import type { Logger } from 'pino';
import { request } from 'undici';
import { MOST_NOTICES, type Notice, type NoticeRows, type WaitingNotice } from './notice-rows.ts';

export interface Notices {
  /** Sends from now on what there is, also what another host left. */
  start(): void;
  /** There is one. Never throws. */
  wake(): void;
  /** Why the last one that this host tried did not arrive; undefined: it did, or there was none. */
  trouble(): string | undefined;
  /** What was not sent stays for another host. */
  close(): Promise<void>;
}

/** Where nobody is to be told. */
export const noNotices: Notices = { start() {}, wake() {}, trouble: () => undefined, async close() {} };

export interface NoticesOptions {
  readonly url: string;
  readonly rows: NoticeRows;
  readonly log: Pick<Logger, 'warn'>;
  /** Before each further try, in milliseconds. */
  readonly waitsMs?: readonly number[];
  /** How often is looked for what others left. */
  readonly everyMs?: number;
}

/** Less than whoever has one in hand may take (notice-rows.ts). */
const TIMEOUT_MS = 5_000;
const WAITS_MS = [1_000, 4_000, 15_000];
const EVERY_MS = 3_000;

export function createNotices(options: NoticesOptions): Notices {
  return new Sender(options);
}

class Sender implements Notices {
  readonly #options: NoticesOptions;
  readonly #to: string;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #again = false;
  #trouble: string | undefined;

  constructor(options: NoticesOptions) {
    this.#options = options;
    this.#to = new URL(options.url).host;
  }

  start(): void {
    this.wake();
  }

  wake(): void {
    if (this.#closing.signal.aborted) return;
    this.#again = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  trouble(): string | undefined {
    return this.#trouble;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#working;
  }

  async #work(): Promise<void> {
    clearTimeout(this.#timer);
    let wait = this.#options.everyMs ?? EVERY_MS;
    while (this.#again && !this.#closing.signal.aborted) {
      this.#again = false;
      try {
        wait = (await this.#drain()) ?? wait;
      } catch {
        // The store does not answer. The notices stay in it, and others already log that it is away.
      }
    }
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => this.wake(), wait).unref();
  }

  /** Answers when the one that failed is to be tried again. */
  async #drain(): Promise<number | undefined> {
    const { rows } = this.#options;
    for (;;) {
      const one = this.#closing.signal.aborted ? undefined : await rows.take();
      if (!one) return undefined;
      const given = await rows.prune();
      for (const notice of given)
        this.#options.log.warn(
          { to: this.#to, notice },
          `a notice is given up: it waited for a day, or ${MOST_NOTICES} came after it`,
        );
      if (given.includes(one.notice.text)) continue;
      const wait = await this.#deliver(one);
      if (wait !== undefined) return wait;
    }
  }

  /** A redirect or a refusal is final; 408, 429, 5xx and no answer at all are tried again. */
  async #deliver({ id, notice, tries }: WaitingNotice): Promise<number | undefined> {
    const { rows, log, waitsMs = WAITS_MS } = this.#options;
    try {
      await this.#post(notice);
      this.#trouble = undefined;
    } catch (error) {
      if (this.#closing.signal.aborted) {
        await rows.postpone(id, 0);
        return undefined;
      }
      const { message, code } = error as NodeJS.ErrnoException;
      this.#trouble = code ?? message;
      const wait = /^it answered (3|4(?!08|29))/.test(message) ? undefined : waitsMs[tries - 1];
      if (wait !== undefined) {
        await rows.postpone(id, wait);
        return wait;
      }
      log.warn({ to: this.#to, error: this.#trouble, notice: notice.text }, 'a notice could not be sent');
    }
    await rows.remove(id);
    return undefined;
  }

  async #post(notice: Notice): Promise<void> {
    const { statusCode, body } = await request(this.#options.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(notice),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await body.dump();
    if (statusCode >= 300) throw new Error(`it answered ${statusCode}`);
  }
}
