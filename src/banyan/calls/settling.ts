// How a call to another process ends, and what follows when an attempt failed: another process where
// routing/failover.ts allows it; when nobody is left the placements are read again, and then the caller gets one typed
// error that names the module. Guarantees: a call ends once, and its end is observed once.

import { shareIn } from '../context/share.ts';
import { libraryProblem, ModuleUnavailable, Problem } from '../contract/problem.ts';
import { mayFallBack, sideOfCall } from '../routing/side.ts';
import type { Placements, Side, Snapshot } from '../routing/snapshot.ts';
import { CLIENTS, isFault, type Stats } from '../telemetry/stats.ts';
import { AskByHttp, type FarCall, type Settling } from './far-call.ts';
import { CLIENT_PREFIX, SHADOW_PREFIX } from './frames.ts';
import type { RemoteInstances } from './remote-instances.ts';

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
    span: { readonly traceparent: string; readonly parent: string | undefined; readonly side: Side },
  ): void;
}

export interface SettlingOptions {
  readonly placements: Placements;
  readonly observer?: CallObserver | undefined;
  readonly stats?: Stats | undefined;
}

export function createSettling(
  calls: Map<number, FarCall>,
  peers: RemoteInstances,
  { placements, observer, stats }: SettlingOptions,
): Settling {
  const end = (call: FarCall, outcome: string, bad: boolean): boolean => {
    if (!calls.delete(call.id)) return false;
    peers.release(call);
    call.signal?.removeEventListener('abort', call);
    const ms = performance.now() - call.startedAt;
    call.target.counters?.[call.side].note(ms, bad);
    if (observer) observe(observer, call, ms, outcome);
    return true;
  };

  const failed = (call: FarCall, error: unknown) => {
    if (end(call, outcomeOf(error), isFault(error))) call.reject(error);
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
    const { module, spec, prefix } = call.target;
    const caller = prefix === CLIENT_PREFIX ? CLIENTS : call.target.caller;
    // A shadow is not worth a second way, and has no business on the other side.
    if (call.target.prefix === SHADOW_PREFIX || !call.mayFollow(link, begun, spec.idempotent))
      return unavailable(call, reason);
    if (peers.send(call)) return;
    if (fallsBack(placements.current, call)) {
      stats?.fellBack(module, call.target.operation, performance.now() - call.startedAt, caller);
      call.fellBack = true;
      call.side = 'in-process';
      if (peers.send(call)) return;
    }
    // Whoever refused is left alone by its backoff.
    if (!call.mayLookAgain()) return unavailable(call, reason);
    void placements.refresh().then((snapshot) => {
      if (!call.fellBack) call.side = sideOfCall(snapshot, module, call.share ?? shareIn(call.flow));
      if (calls.has(call.id) && !peers.send(call)) unavailable(call, reason);
    });
  };

  return {
    lost,
    failed,
    answered(call, output) {
      if (end(call, 'ok', false)) call.resolve(output);
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

/** A client's call goes back to who took the request, and falls back there. */
function fallsBack(snapshot: Snapshot, { target, side, share }: FarCall): boolean {
  return target.prefix === '' && side === 'service' && mayFallBack(snapshot, target.module, share);
}

function outcomeOf(error: unknown): string {
  if (error instanceof AskByHttp) return 'by-http';
  return error instanceof Problem ? error.code : 'error';
}

function late({ target: { module, operation } }: FarCall): Problem {
  return libraryProblem('deadline-exceeded', {
    detail: `${module}.${operation} did not answer within the time left for it.`,
    extra: { module },
  });
}

function observe(observer: CallObserver, call: FarCall, ms: number, outcome: string): void {
  const { module, operation } = call.target;
  const span = { traceparent: call.traceparent, parent: call.flow?.traceparent, side: call.side };
  observer.onCall(module, operation, ms, outcome, span);
}
