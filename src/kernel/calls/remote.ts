// The far exit of a ref: picks a process that serves the module at this moment, sends the call, and decides
// what follows when that fails. Guarantees: a call ends by its deadline; it goes to another process where
// routing/failover.ts allows it; when nobody is left the placements are read again, and then the caller gets one
// typed error that names the module.
import type { Logger } from 'pino';
import type { Contract, OperationSpec } from '../contract/contract.ts';
import { kernelProblem, ModuleUnavailable, Problem } from '../contract/problem.ts';
import { RefusalLog } from '../identity/hop.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import type { Placement, Placements } from '../placement/snapshot.ts';
import { sideOf } from '../routing/side.ts';
import { currentFlow, type Flow } from './call.ts';
import { DEFAULT_DEADLINE_MS, DeadlineTimer } from './deadlines.ts';
import { AskByHttp, FarCall, type Settling, type Target } from './far-call.ts';
import { CLIENT_PREFIX, MAX_FRAME_BYTES, requestHead } from './frames.ts';
import { createPeers, type Peers } from './peers.ts';
import type { Remote } from './ref.ts';
import { childOf, newTraceparent } from './trace.ts';

export interface CallObserver {
  /**
   * A call ended. `outcome` is `ok` or the code of its problem; `span` is the client span of the call, `parent`
   * the traceparent of the work that asked.
   */
  onCall(
    module: string,
    operation: string,
    ms: number,
    outcome: string,
    span: { readonly traceparent: string; readonly parent: string | undefined },
  ): void;
}

export interface RemoteOptions {
  readonly placements: Placements;
  readonly tokens: InternalTokens;
  readonly log: Pick<Logger, 'warn'>;
  /** Told of hosts that do not let this one in; one that others of this host share says it once. */
  readonly refusals?: RefusalLog;
  readonly observer?: CallObserver;
  readonly maxPayload?: number;
  /** Milliseconds between pings of an open connection. */
  readonly heartbeatMs?: number;
}

/** A client's request that leaves as a call: its rights are those of its own credentials, verified where it arrives. */
export interface ClientCall {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly traceparent: string;
  /** Where the client's request was routed to. */
  readonly side: Placement;
}

/** `servedBy` is the id of the process that had the call last. Called once. */
export type ClientAnswer = (error: unknown, output: unknown, servedBy: string) => void;

export interface RemoteCalls extends Remote {
  /** Asks for a client. The error is AskByHttp or ModuleUnavailable where it did not come to an answer that way. */
  forClient(
    contract: Contract,
    operation: string,
    input: unknown,
    client: ClientCall,
    done: ClientAnswer,
  ): void;
  /** Calls that went to a service process of the module and are not settled: what a drain waits for. */
  inflight(module: string): number;
  /** Closes the connections; calls under way end as unavailable. */
  close(): Promise<void>;
}

export function createRemote(options: RemoteOptions): RemoteCalls {
  const calls = new Map<number, FarCall>();
  const peers = createPeers({
    calls,
    placements: options.placements,
    tokens: options.tokens,
    log: options.log,
    refusals: options.refusals ?? new RefusalLog(options.log),
    maxPayload: options.maxPayload ?? MAX_FRAME_BYTES,
    heartbeatMs: options.heartbeatMs ?? 2000,
  });
  const settling = createSettling(calls, peers, options);
  const timer = new DeadlineTimer((now) => expireDue(calls, settling, now));
  const targets = new WeakMap<OperationSpec, Map<string, Target>>();
  const { observer } = options;
  let lastId = 0;
  let closed = false;

  const targetOf = (contract: Contract, operation: string, caller: string, client: boolean): Target => {
    const spec = contract.operations[operation]!;
    let byCaller = targets.get(spec);
    if (!byCaller) {
      byCaller = new Map();
      targets.set(spec, byCaller);
    }
    const key = client ? CLIENT_PREFIX : caller;
    let target = byCaller.get(key);
    if (!target) {
      const { module } = contract;
      const head = requestHead(module, operation, caller, client);
      target = { module, operation, spec, caller, client, route: peers.route(module), head };
      byCaller.set(key, target);
    }
    return target;
  };

  /** One more call; what it needs besides is set before it is sent. */
  const make = (
    target: Target,
    side: Placement,
    input: unknown,
    flow: Flow | undefined,
    now: number,
    resolve: (output: unknown) => void,
    reject: (error: unknown) => void,
  ): FarCall => {
    const given = flow?.deadline ?? Number.POSITIVE_INFINITY;
    const deadline = given === Number.POSITIVE_INFINITY ? now + DEFAULT_DEADLINE_MS : given;
    const text = JSON.stringify(input) ?? 'null';
    const trace = flow ? childOf(flow.traceparent) : newTraceparent();
    lastId += 1;
    const call = new FarCall(settling, lastId, target, side, text, deadline, trace, flow, resolve, reject);
    if (observer) call.startedAt = performance.now();
    calls.set(call.id, call);
    return call;
  };

  const send = (call: FarCall, now: number): void => {
    const { target, deadline, signal } = call;
    if (closed) {
      settling.failed(call, new ModuleUnavailable(target.module, 'This host has closed.'));
    } else if (deadline <= now) {
      settling.expired(call);
    } else if (signal?.aborted) {
      settling.cancelled(call);
    } else {
      signal?.addEventListener('abort', call);
      timer.watch(deadline);
      if (!peers.send(call)) settling.lost(call, false, 'no healthy process serves it');
    }
  };

  const remote: Remote = (contract, operation, input, caller, side) =>
    new Promise((resolve, reject) => {
      const now = Date.now();
      const target = targetOf(contract, operation, caller, false);
      send(make(target, side, input, currentFlow(), now, resolve, reject), now);
    });

  return Object.assign(remote, {
    forClient(
      contract: Contract,
      operation: string,
      input: unknown,
      client: ClientCall,
      done: ClientAnswer,
    ): void {
      const now = Date.now();
      const call = make(
        targetOf(contract, operation, 'gateway', true),
        client.side,
        input,
        client,
        now,
        (output) => done(undefined, output, call.servedBy),
        (error) => done(error, undefined, call.servedBy),
      );
      call.authorization = client.authorization;
      send(call, now);
    },
    inflight: (module: string) => peers.inflight(module),
    async close() {
      closed = true;
      timer.stop();
      for (const call of [...calls.values()]) {
        settling.failed(call, new ModuleUnavailable(call.target.module, 'This host has closed.'));
      }
      peers.close();
    },
  });
}

function createSettling(calls: Map<number, FarCall>, peers: Peers, options: RemoteOptions): Settling {
  const { placements, observer } = options;

  const end = (call: FarCall, outcome: string): boolean => {
    if (!calls.delete(call.id)) return false;
    peers.release(call);
    call.signal?.removeEventListener('abort', call);
    if (observer) observe(observer, call, outcome);
    return true;
  };

  const failed = (call: FarCall, error: unknown) => {
    if (end(call, outcomeOf(error))) call.reject(error);
  };

  const unavailable = (call: FarCall, reason: string) => {
    const { module } = call.target;
    const nothingSent = !call.begun;
    failed(call, new ModuleUnavailable(module, `${module} is not available: ${reason}.`, { nothingSent }));
  };

  const lost = (call: FarCall, begun: boolean, reason: string) => {
    if (!calls.has(call.id)) return;
    const { link } = call;
    peers.release(call);
    const { module, spec } = call.target;
    if (!call.mayFollow(link, begun, spec.idempotent)) return unavailable(call, reason);
    if (peers.send(call)) return;
    // Whoever refused is left alone by its backoff.
    if (!call.mayLookAgain()) return unavailable(call, reason);
    void placements.refresh().then((snapshot) => {
      call.side = sideOf(snapshot, module);
      if (calls.has(call.id) && !peers.send(call)) unavailable(call, reason);
    });
  };

  return {
    lost,
    failed,
    answered(call, output) {
      if (end(call, 'ok')) call.resolve(output);
    },
    cancelled(call) {
      call.link?.drop(call);
      failed(call, call.signal?.reason);
    },
    expired(call) {
      call.link?.drop(call);
      failed(call, late(call));
    },
  };
}

function outcomeOf(error: unknown): string {
  if (error instanceof AskByHttp) return 'by-http';
  return error instanceof Problem ? error.code : 'error';
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

function late({ target: { module, operation } }: FarCall): Problem {
  return kernelProblem('deadline-exceeded', {
    detail: `${module}.${operation} did not answer within the time left for it.`,
    extra: { module },
  });
}

function observe(observer: CallObserver, call: FarCall, outcome: string): void {
  const { module, operation } = call.target;
  const span = { traceparent: call.traceparent, parent: call.flow?.traceparent };
  observer.onCall(module, operation, performance.now() - call.startedAt, outcome, span);
}
