// A call that came over a connection, as its handler sees it. Its signal is made when somebody asks for it: few
// do, and it costs a microsecond. It fires when the caller cancels, goes away, or the deadline passes.
import type { Principal } from '../contract/principal.ts';
import type { Call, Flow } from './call.ts';

export class ServedCall implements Call, Flow {
  readonly principal: Principal;
  readonly deadline: number;
  readonly traceparent: string;
  /** Part of the flow: the event that the asking side is handling. */
  readonly event: Flow['event'];
  aborted = false;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(principal: Principal, deadline: number, traceparent: string, event: Flow['event']) {
    this.principal = principal;
    this.deadline = deadline;
    this.traceparent = traceparent;
    this.event = event;
  }

  get signal(): AbortSignal {
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
    clearTimeout(this.#timer);
  }
}
