// The far exit of a ref: picks a process that serves the module at this moment, sends the call, and decides
// what follows when that fails. Guarantees: a call ends by its deadline; it goes to another process where
// routing/failover.ts allows it; when nobody is left the placements are read again, and then the caller gets one
// typed error that names the module. The parts: remote-instances.ts picks, under-way.ts sends, settling.ts decides.
import type { Logger } from 'pino';
import { currentFlow, type Flow } from '../context/call.ts';
import type { Share } from '../context/share.ts';
import type { Contract } from '../contract/contract.ts';
import { libraryProblem } from '../contract/problem.ts';
import { RefusalLog } from '../identity/hop.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import type { Placements, Side } from '../routing/snapshot.ts';
import type { Stats } from '../telemetry/stats.ts';
import type { FarCall } from './far-call.ts';
import { type Asker, CLIENT_PREFIX, MAX_FRAME_BYTES, SHADOW_PREFIX } from './frames.ts';
import type { Remote } from './ref.ts';
import { createRemoteInstances } from './remote-instances.ts';
import { type CallObserver, createSettling } from './settling.ts';
import { type ShadowAnswer, shadowAnswerFrom } from './shadow.ts';
import { Targets } from './targets.ts';
import { UnderWay } from './under-way.ts';

export interface RemoteOptions {
  readonly placements: Placements;
  readonly tokens: InternalTokens;
  readonly log: Pick<Logger, 'warn'>;
  /** Told of hosts that do not let this one in; one that others of this host share says it once. */
  readonly refusals?: RefusalLog;
  readonly observer?: CallObserver;
  /** Counts the calls of modules by side; what is asked for a client is counted by who took its request. */
  readonly stats?: Stats | undefined;
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
  readonly side: Side;
  /** Whose share it is in, where some module is in canary. */
  readonly share?: Share | undefined;
}

/** What a shadow is of: a request that a monolith took. */
export interface ShadowOf extends Asker {
  readonly flow: Flow;
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
  /** Has it done and rolled back there. Rejects with AskByHttp where that is not known, with ModuleUnavailable, or too late. */
  tried(
    contract: Contract,
    operation: string,
    input: unknown,
    caller: string,
    side: Side,
    share: Share | undefined,
    of?: ShadowOf,
  ): Promise<ShadowAnswer>;
  /** Calls that went to a service process of the module and are not settled: what a drain waits for. */
  inflight(module: string): number;
  /** Closes the connections; calls under way end as unavailable. */
  close(): Promise<void>;
}

export function createRemote(options: RemoteOptions): RemoteCalls {
  const { placements, observer, stats } = options;
  const calls = new Map<number, FarCall>();
  const instances = createRemoteInstances({
    calls,
    placements,
    tokens: options.tokens,
    log: options.log,
    refusals: options.refusals ?? new RefusalLog(options.log),
    maxPayload: options.maxPayload ?? MAX_FRAME_BYTES,
    heartbeatMs: options.heartbeatMs ?? 2000,
  });
  const settling = createSettling(calls, instances, options);
  const targets = new Targets(instances, stats);
  const underWay = new UnderWay(calls, instances, settling, observer !== undefined || stats !== undefined);

  const remote: Remote = (contract, operation, input, caller, side, share) =>
    new Promise((resolve, reject) => {
      const now = Date.now();
      const target = targets.of(contract, operation, caller, '');
      underWay.send(underWay.make(target, side, share, input, currentFlow(), now, resolve, reject), now);
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
      const call = underWay.make(
        targets.of(contract, operation, 'gateway', CLIENT_PREFIX),
        client.side,
        client.share,
        input,
        client,
        now,
        (output) => done(undefined, output, call.servedBy),
        (error) => done(error, undefined, call.servedBy),
      );
      call.authorization = client.authorization;
      underWay.send(call, now);
    },
    async tried(
      contract: Contract,
      operation: string,
      input: unknown,
      caller: string,
      side: Side,
      share: Share | undefined,
      of?: ShadowOf,
    ): Promise<ShadowAnswer> {
      const said = await new Promise((resolve, reject) => {
        const now = Date.now();
        const target = targets.of(contract, operation, caller, SHADOW_PREFIX);
        const flow = of ? of.flow : currentFlow();
        const call = underWay.make(target, side, share, input, flow, now, resolve, reject);
        if (of) call.asker = { principal: of.principal, address: of.address };
        underWay.send(call, now);
      });
      const answer = shadowAnswerFrom(said);
      if (answer) return answer;
      throw libraryProblem('bad-gateway', {
        detail: `${contract.module}.${operation}: the answer to a shadow is none.`,
      });
    },
    inflight: (module: string) => instances.inflight(module),
    async close() {
      underWay.close();
      instances.close();
    },
  });
}
