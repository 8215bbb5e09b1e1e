// The one connection to another process: opened by the first call, shared by all, opened again by the next
// call: at once after an open connection broke, after a backoff where the process refused, drained or was silent.
// Guarantees: a call on it is answered, failed or lost once; `lost` says truly whether the other side may have
// begun it. It must not know whom else a call could be sent to.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import type WebSocket from 'ws';
import { libraryProblem } from '../contract/problem.ts';
import { Backoff } from './backoff.ts';
import { HOP_MARGIN_MS } from './deadlines.ts';
import type { FarCall, Link } from './far-call.ts';
import { FrameBatcher } from './frame-batcher.ts';
import { cancelText, DRAINED, type Message, requestText, tooLarge } from './frames.ts';
import { dial } from './ws-dial.ts';
import { settle } from './ws-settle.ts';

/** A host that answers no ping is suspect after one interval, and cut off after the third. */
const UNANSWERED_PINGS = 3;
/** Bytes that may wait for a host that does not read; more is refused, and goes elsewhere. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

export interface WsLinkOptions {
  /** `http://host:port` of the internal port. */
  readonly url: string;
  readonly token: () => string | Promise<string>;
  /** The calls under way by number, also those of other links. */
  readonly calls: ReadonlyMap<number, FarCall>;
  readonly maxPayload: number;
  readonly heartbeatMs: number;
  readonly log: Pick<Logger, 'warn'>;
  /** It answered 401 to the internal token: why, in words. */
  readonly refused: (headers: IncomingHttpHeaders) => string;
  readonly accepted: () => void;
}

export class WsLink implements Link {
  readonly #options: WsLinkOptions;
  readonly #backoff = new Backoff();
  // A socket keeps the asynchronous context it was opened in: not that of the first call.
  readonly #outside = AsyncLocalStorage.snapshot();
  #state: 'idle' | 'opening' | 'open' = 'idle';
  /** Grows whenever a connection ends, so that what belongs to an older one is recognised. */
  #generation = 0;
  #ws: WebSocket | undefined;
  #frames: FrameBatcher | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #unanswered = 0;
  #full = false;
  /** The other side said that it is shutting down. */
  #closing = false;

  constructor(options: WsLinkOptions) {
    this.#options = options;
  }

  get carriesClients(): boolean {
    return true;
  }

  get suspect(): boolean {
    return this.#state === 'open' ? this.#unanswered > 1 : this.#backoff.failing;
  }

  usableAt(now: number): boolean {
    if (this.#state !== 'open') return this.#state === 'opening' || this.#backoff.overAt(now);
    if (this.#full) this.#measure();
    return !this.#closing && !this.#full;
  }

  send(call: FarCall): void {
    call.link = this;
    call.sent = false;
    if (this.#state === 'open') this.#write(call);
    else if (this.#state === 'idle') this.#outside(() => void this.#open());
    // else it leaves with the others that wait for the connection being opened
  }

  drop(call: FarCall): void {
    if (call.sent) this.#frames?.push(cancelText(call.id), false);
  }

  close(): void {
    const ws = this.#ws;
    this.#end('the connection was closed here', false);
    ws?.close(1000);
  }

  #write(call: FarCall): void {
    const { maxPayload } = this.#options;
    const left = Math.max(1, call.deadline - Date.now() - HOP_MARGIN_MS);
    const { id, target, input, traceparent, flow, authorization, share, asker } = call;
    const text = requestText(
      target.head,
      id,
      input,
      left,
      traceparent,
      flow?.event,
      authorization,
      share,
      asker,
    );
    if (tooLarge(text, maxPayload)) {
      const detail = `A call between modules may have ${maxPayload} bytes.`;
      call.failed(libraryProblem('too-large', { detail }));
      return;
    }
    call.sent = true;
    // The only call of this host has nothing to wait for.
    this.#frames!.push(text, this.#options.calls.size === 1);
  }

  async #open(): Promise<void> {
    const { url, token, maxPayload, refused } = this.#options;
    const generation = this.#generation;
    this.#state = 'opening';
    let authorization: string;
    try {
      authorization = `Bearer ${await token()}`;
    } catch (error) {
      return this.#end(`no token could be made (${String(error)})`, true);
    }
    if (generation !== this.#generation) return;
    const current = () => generation === this.#generation;
    this.#ws = dial({
      url,
      authorization,
      maxPayload,
      refused,
      opened: (ws) => current() && this.#opened(ws),
      received: (data) => current() && this.#receive(data),
      alive: () => {
        this.#unanswered = 0;
      },
      closed: (reason, code) => {
        if (!current()) return;
        const silent = this.#unanswered >= UNANSWERED_PINGS;
        this.#end(reason, silent || code === DRAINED || this.#state !== 'open', code);
      },
    });
  }

  #opened(ws: WebSocket): void {
    this.#state = 'open';
    this.#unanswered = 0;
    this.#backoff.succeeded();
    this.#options.accepted();
    this.#frames = new FrameBatcher(ws, () => this.#measure());
    this.#heartbeat = setInterval(() => this.#beat(ws), this.#options.heartbeatMs).unref();
    for (const call of this.#mine()) this.#write(call);
  }

  #beat(ws: WebSocket): void {
    if (this.#unanswered >= UNANSWERED_PINGS) {
      ws.terminate();
    } else {
      this.#unanswered += 1;
      ws.ping();
    }
  }

  #measure(): void {
    this.#full = this.#ws !== undefined && this.#ws.bufferedAmount > MAX_WAITING_BYTES;
  }

  #mine(): FarCall[] {
    return [...this.#options.calls.values()].filter((call) => call.link === this);
  }

  /** @param refused leave it alone for a while. */
  #end(reason: string, refused: boolean, code?: number): void {
    const lost = this.#mine();
    this.#generation += 1;
    this.#state = 'idle';
    this.#ws = undefined;
    this.#frames = undefined;
    clearInterval(this.#heartbeat);
    this.#unanswered = 0;
    this.#full = false;
    this.#closing = false;
    if (refused) this.#backoff.refused();
    for (const call of lost) call.lost(call.sent && code !== DRAINED, reason);
  }

  #receive(data: Buffer): void {
    this.#unanswered = 0;
    let frame: unknown;
    try {
      frame = JSON.parse(data.toString());
    } catch {
      this.#options.log.warn({ url: this.#options.url }, 'calls: a peer sent a frame that is not JSON');
      const ws = this.#ws;
      this.#end('it answered with something that is not JSON', true);
      ws?.terminate();
      return;
    }
    if (!Array.isArray(frame)) this.#take(frame as Message);
    else for (const message of frame) this.#take(message as Message);
  }

  #take(message: Message | null): void {
    const { id, method, result, error } = message ?? {};
    if (typeof id === 'number') {
      const call = this.#options.calls.get(id);
      // Cancelled, or past its deadline: nobody waits.
      if (call?.link !== this) return;
      settle(call, result, error);
    } else if (method === 'closing') {
      this.#closing = true;
    } else {
      this.#options.log.warn({ url: this.#options.url, error }, 'calls: a peer sent an unknown message');
    }
  }
}
