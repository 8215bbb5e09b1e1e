// One answer of another process, as undici hands it over piece by piece. A small one of known length is complete
// before ours begins: it is sent in one go, without a stream's 20 us, and one that breaks off in the middle can still
// be asked of another process. All others pass through as a stream, at the client's pace.
// It does not know what was asked, nor whom to ask next.
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

/** What reply-from passes on: `body` goes to Fastify as it is. */
export interface Answered {
  readonly statusCode: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Readable | WholeBody | undefined;
}

/** reply-from ends the body of a client that is gone; of bytes in memory nothing is to be ended. */
export type WholeBody = Buffer & { destroy?: () => void };

export type Callback = (error: Error | null, answer?: Answered) => void;

type Head = Pick<Answered, 'statusCode' | 'headers'>;

/** Bytes; a page of 100 parcels is some 40 kB, a photograph mostly more. */
const SMALL = 64 * 1024;

export class Answer implements Dispatcher.DispatchHandler {
  readonly #accept: (headers: Answered['headers']) => Error | undefined;
  #callback: Callback | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #cancelled: Error | undefined;
  #head: Head | undefined;
  #chunks: Buffer[] = [];
  #stream: Readable | undefined;

  /** @param accept an error where this is not the one that was asked. @param callback is called once. */
  constructor(accept: (headers: Answered['headers']) => Error | undefined, callback: Callback) {
    this.#accept = accept;
    this.#callback = callback;
  }

  /** Takes the request back: the callback gets the reason. */
  cancel(reason: Error): void {
    this.#cancelled = reason;
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cancelled) controller.abort(this.#cancelled);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Answered['headers'],
  ): void {
    // 100 and 103 come before the answer.
    if (statusCode < 200) return;
    const stranger = this.#accept(headers);
    if (stranger) {
      controller.abort(stranger);
      return;
    }
    // It has no body, whatever is said of one (RFC 9110, 8.6), and is complete.
    if (statusCode === 204) {
      delete headers['content-length'];
      this.#settle(null, { statusCode, headers, body: undefined });
      return;
    }
    this.#head = { statusCode, headers };
    if (Number(headers['content-length'] ?? Number.NaN) <= SMALL) return;
    this.#stream = new Readable({
      read: () => controller.resume(),
      destroy: (error, done) => {
        // The client went away: nobody wants the rest.
        if (!this.#stream?.readableEnded) controller.abort(error ?? new Error('The client is gone.'));
        done(error);
      },
    });
    // Whoever sends it hears of its end; where nobody does any more, that must not end the process.
    this.#stream.on('error', ended);
    this.#settle(null, { ...this.#head, body: this.#stream });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#stream) this.#chunks.push(chunk);
    else if (!this.#stream.push(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#stream) this.#stream.push(null);
    else if (this.#head) this.#settle(null, { ...this.#head, body: whole(this.#chunks) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#stream) this.#stream.destroy(error);
    else this.#settle(error);
  }

  #settle(error: Error | null, answer?: Answered): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.(error, answer);
  }
}

function whole(chunks: Buffer[]): WholeBody | undefined {
  if (chunks.length === 0) return undefined;
  const body: WholeBody = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  body.destroy = ended;
  return body;
}

function ended(): void {}
