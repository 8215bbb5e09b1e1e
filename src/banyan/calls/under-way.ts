// The calls of this host that are under way: each is made, sent to a process that serves the module at this moment, and
// ended by its deadline at the latest. What follows when an attempt fails is settling.ts.

import type { Flow } from '../context/call.ts';
import type { Share } from '../context/share.ts';
import { childOf, newTraceparent } from '../context/trace.ts';
import { ModuleUnavailable } from '../contract/problem.ts';
import type { Side } from '../routing/snapshot.ts';
import { DEFAULT_DEADLINE_MS, DeadlineTimer } from './deadlines.ts';
import { FarCall, type Settling, type Target } from './far-call.ts';
import type { RemoteInstances } from './remote-instances.ts';

export class UnderWay {
  readonly #calls: Map<number, FarCall>;
  readonly #peers: RemoteInstances;
  readonly #settling: Settling;
  readonly #measures: boolean;
  readonly #timer: DeadlineTimer;
  #lastId = 0;
  #closed = false;

  /** @param measures whether somebody asks how long calls take. */
  constructor(calls: Map<number, FarCall>, peers: RemoteInstances, settling: Settling, measures: boolean) {
    this.#calls = calls;
    this.#peers = peers;
    this.#settling = settling;
    this.#measures = measures;
    this.#timer = new DeadlineTimer((now) => expireDue(calls, settling, now));
  }

  /** One more call; what it needs besides is set before it is sent. */
  make(
    target: Target,
    side: Side,
    share: Share | undefined,
    input: unknown,
    flow: Flow | undefined,
    now: number,
    resolve: (output: unknown) => void,
    reject: (error: unknown) => void,
  ): FarCall {
    const given = flow?.deadline ?? Number.POSITIVE_INFINITY;
    const deadline = given === Number.POSITIVE_INFINITY ? now + DEFAULT_DEADLINE_MS : given;
    const text = JSON.stringify(input) ?? 'null';
    const trace = flow ? childOf(flow.traceparent) : newTraceparent();
    const settling = this.#settling;
    this.#lastId += 1;
    const id = this.#lastId;
    const call = new FarCall(settling, id, target, side, share, text, deadline, trace, flow, resolve, reject);
    if (this.#measures) call.startedAt = performance.now();
    this.#calls.set(id, call);
    return call;
  }

  send(call: FarCall, now: number): void {
    const { target, deadline, signal } = call;
    if (this.#closed) {
      this.#settling.failed(call, hasClosed(target));
    } else if (deadline <= now) {
      this.#settling.expired(call);
    } else if (signal?.aborted) {
      this.#settling.cancelled(call);
    } else {
      signal?.addEventListener('abort', call);
      this.#timer.watch(deadline);
      if (!this.#peers.send(call)) this.#settling.lost(call, false, 'no healthy process serves it');
    }
  }

  /** Every call ends as unavailable, also those that are still to be made. */
  close(): void {
    this.#closed = true;
    this.#timer.stop();
    for (const call of [...this.#calls.values()]) this.#settling.failed(call, hasClosed(call.target));
  }
}

/** Ends what is due and answers the earliest deadline left. */
function expireDue(calls: ReadonlyMap<number, FarCall>, settling: Settling, now: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const call of calls.values()) {
    if (call.deadline <= now) settling.expired(call);
    else if (call.deadline < next) next = call.deadline;
  }
  return next;
}

function hasClosed({ module }: Target): ModuleUnavailable {
  return new ModuleUnavailable(module, 'This host has closed.');
}
