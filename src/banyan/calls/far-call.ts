// One call to another process, from the moment it is asked to the moment it is settled, over as many attempts
// as its operation allows. Links find it by its number, and it listens for its own cancellation.
// It knows no socket: a link carries it.

import type { Flow } from '../context/call.ts';
import type { Share } from '../context/share.ts';
import type { OperationSpec } from '../contract/contract.ts';
import { Attempts } from '../routing/failover.ts';
import type { Side } from '../routing/snapshot.ts';
import type { SideCounter } from '../telemetry/stats.ts';
import type { Asker, Prefix } from './frames.ts';

/** Carries calls to one process, over a WebSocket or over HTTP, and tells each how it ended. */
export interface Link {
  /** Sends the call, now or once connected. It is then answered, failed or lost exactly once, unless dropped. */
  send(call: FarCall): void;
  /** The call is no longer wanted: tells the other side where it may have begun. No word of it afterwards. */
  drop(call: FarCall): void;
  /** False: it refused, is shutting down, or does not keep up; another process should be asked. */
  usableAt(now: number): boolean;
  /** It has not been heard of lately: ask others first. */
  readonly suspect: boolean;
  /** It can carry what a gateway asks for a client. */
  readonly carriesClients: boolean;
  close(): void;
}

/** A process, and what this host has under way there. */
export interface RemoteInstance {
  readonly id: string;
  readonly host: string;
  /** Of the module, as it says itself; undefined: it does not. */
  readonly release: string | undefined;
  readonly link: Link;
  inflight: number;
  /** The snapshot no longer knows it: closed when nothing is under way. */
  gone: boolean;
}

/** The calls of one module. */
export interface ModuleTraffic {
  readonly module: string;
  /** Calls under way on service processes. */
  toService: number;
  turn: number;
}

/** What is the same for every call of one operation by one module. */
export interface Target {
  readonly module: string;
  readonly operation: string;
  readonly spec: OperationSpec;
  readonly caller: string;
  /** As what it goes: a module's call, or one that older doors do not know: a client's, with its rights, or a shadow. */
  readonly prefix: Prefix;
  readonly traffic: ModuleTraffic;
  /** The constant part of the request's text. */
  readonly head: string;
  /** By side; undefined where nobody counts, for what is asked for a client (whoever took its request does), and for shadows. */
  readonly counters: Readonly<Record<Side, SideCounter>> | undefined;
}

/** The other side does not take this call of a client, or this shadow, as a frame. Nothing was begun: a request may go by HTTP. */
export class AskByHttp extends Error {}

/** The ways a call can end; remote.ts decides what follows. */
export interface Settling {
  answered(call: FarCall, output: unknown): void;
  failed(call: FarCall, error: unknown): void;
  /** `begun` false: the other side never started it, so that any operation may be repeated. */
  lost(call: FarCall, begun: boolean, reason: string): void;
  /** Whoever asked no longer wants it. */
  cancelled(call: FarCall): void;
  /** Its deadline has passed. */
  expired(call: FarCall): void;
}

export class FarCall extends Attempts<Link> {
  readonly id: number;
  readonly target: Target;
  /** Where it goes; decided anew only when nobody is left there. */
  side: Side;
  /** Undefined where no module was in canary when it was made. */
  readonly share: Share | undefined;
  /** Nobody was left on the far side, so that it went to the near one, and stays there. */
  fellBack = false;
  /** JSON text. */
  readonly input: string;
  /** Milliseconds since the epoch; never infinite. */
  readonly deadline: number;
  /** Of the client span of this call. */
  readonly traceparent: string;
  readonly flow: Flow | undefined;
  /** Read once, since reading it may make it. */
  readonly signal: AbortSignal | undefined;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly #settling: Settling;
  /** What a client sent to say who it is; of a client's call alone. */
  authorization: string | undefined = undefined;
  /** Of a shadow: of whose request. */
  asker: Asker | undefined = undefined;
  /** The id of the process that has it, or had it last. */
  servedBy = '';
  /** Milliseconds of performance.now(); 0 where nobody measures. */
  startedAt = 0;
  /** Where it is now, and whether that side may have begun it. */
  remote: RemoteInstance | undefined = undefined;
  link: Link | undefined = undefined;
  sent = false;

  constructor(
    settling: Settling,
    id: number,
    target: Target,
    side: Side,
    share: Share | undefined,
    input: string,
    deadline: number,
    traceparent: string,
    flow: Flow | undefined,
    resolve: (output: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    super();
    this.#settling = settling;
    this.id = id;
    this.target = target;
    this.side = side;
    this.share = share;
    this.input = input;
    this.deadline = deadline;
    this.traceparent = traceparent;
    this.flow = flow;
    this.signal = flow?.signal;
    this.resolve = resolve;
    this.reject = reject;
  }

  answered(output: unknown): void {
    this.#settling.answered(this, output);
  }

  failed(error: unknown): void {
    this.#settling.failed(this, error);
  }

  lost(begun: boolean, reason: string): void {
    this.#settling.lost(this, begun, reason);
  }

  /** EventListener of `signal`. */
  handleEvent(): void {
    this.#settling.cancelled(this);
  }
}
