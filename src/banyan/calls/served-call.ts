// A call that came over a connection, as its handler sees it, and the flow that the handler runs in. Its
// signal, which has a timer, and its traceparent are made only when the handler asks. The signal fires
// when the caller cancels, goes away, or the deadline passes.

import type { Call, Flow } from '../context/call.ts';
import type { Principal } from '../context/principal.ts';
import { type Share, traceKey } from '../context/share.ts';
import { adopt } from '../context/trace.ts';

export class ServedCall implements Call, Flow {
  readonly principal: Principal;
  readonly deadline: number;
  /** Part of the flow: the event that the asking side is handling. */
  readonly event: Flow['event'];
  /** The client's, where a shadow says it. */
  address: string | undefined = undefined;
  aborted = false;
  /** The call itself, also seen from a flow that inherits from it (a transaction marks itself that way). */
  readonly call: ServedCall = this;
  readonly #given: string | undefined;
  readonly #share: Share | undefined;
  #traceparent: string | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  /** @param traceparent what the caller sent, if anything. @param share likewise. */
  constructor(
    principal: Principal,
    deadline: number,
    traceparent: string | undefined,
    event: Flow['event'],
    share?: Share,
  ) {
    this.principal = principal;
    this.deadline = deadline;
    this.event = event;
    this.#given = traceparent;
    this.#share = share;
  }

  get traceparent(): string {
    const { call } = this;
    call.#traceparent ??= adopt(call.#given);
    return call.#traceparent;
  }

  /** A user's, where the caller knew of no share. */
  get share(): Share {
    const { call, principal } = this;
    return call.#share ?? { key: principal.kind === 'user' ? principal.id : traceKey(call.traceparent) };
  }

  /** The traceparent of the work that asked; undefined where it sent none. */
  get parent(): string | undefined {
    const given = this.call.#given;
    return given?.slice(0, 36) === this.traceparent.slice(0, 36) ? given : undefined;
  }

  get signal(): AbortSignal {
    return this.call.#makeSignal();
  }

  #makeSignal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.aborted) this.#controller.abort();
      else this.#timer = setTimeout(() => this.abort(), Math.max(0, this.deadline - Date.now()));
    }
    return this.#controller.signal;
  }

  abort(): void {
    this.aborted = true;
    this.finished();
    this.#controller?.abort();
  }

  finished(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }
}
