// The client of another module. By the placement of that moment each call stays in this process (near) or
// goes to another one (far). It knows nothing of how either of them is carried out.
// Guarantees: the decision is made on every call from the snapshot in memory; both exits authorise,
// validate and answer alike; a call inside an open store transaction throws where `strict` is set.

import { currentFlow } from '../context/call.ts';
import { type Share, shareIn } from '../context/share.ts';
import { isTrial } from '../context/trial.ts';
import type { Contract, InputOf, OperationSpec, OutputOf } from '../contract/contract.ts';
import { libraryProblem, type Problem } from '../contract/problem.ts';
import { presentTrial } from '../postgres/trial.ts';
import { hasHealthy, mayFallBack, sharesTraffic, sideOfCall } from '../routing/side.ts';
import type { Placements, Side } from '../routing/snapshot.ts';
import type { Stats } from '../telemetry/stats.ts';
import type { Dispatcher } from './dispatcher.ts';
import { outputOf, type ShadowAnswer } from './shadow.ts';

/** The operations of a contract as functions; uploads and downloads are for clients over HTTP alone. */
export type Client<C extends Contract> = {
  readonly [K in keyof C['operations'] as C['operations'][K] extends { upload: object } | { download: true }
    ? never
    : K]: CallOf<C['operations'][K]>;
};

export type CallOf<O extends OperationSpec> = (input: InputOf<O>) => Promise<OutputOf<O>>;

/** The far exit: one call of one operation to some process that serves the module on that side. */
export interface Remote {
  (
    contract: Contract,
    operation: string,
    input: unknown,
    caller: string,
    side: Side,
    share?: Share,
  ): Promise<unknown>;
  /** Has it only tried there. Absent: what is only tried stays in this process. */
  tried?(
    contract: Contract,
    operation: string,
    input: unknown,
    caller: string,
    side: Side,
    share: Share | undefined,
  ): Promise<ShadowAnswer>;
}

export interface RefOptions {
  readonly caller: string;
  /** The dispatcher of that module on this host; undefined when the host does not run it. */
  readonly local: Dispatcher | undefined;
  readonly remote: Remote;
  readonly placements: Placements;
  /** Counts what is asked near; what goes far is counted by whoever carries it. Absent: nobody counts. */
  readonly stats?: Stats | undefined;
  /** Throw when called inside an open store transaction (tests and development). */
  readonly strict: boolean;
}

type Ask = (input: unknown) => Promise<unknown>;

export function createRef<C extends Contract>(contract: C, options: RefOptions): Client<C> {
  const { module } = contract;
  const { local, remote, placements, caller, strict, stats } = options;
  const client: Record<string, Ask> = {};
  for (const [name, spec] of Object.entries(contract.operations)) {
    if (spec.upload || spec.download) continue;
    const near = local?.forModule(name, caller);
    const counter = stats?.of(module, 'in-process', name, caller);
    // An addition, but for the few that are watched to their end.
    const nearby =
      near && ((input: unknown) => (counter?.begins() ? counter.watch(near, input) : near(input)));
    const fork = (input: unknown) => {
      // What is only tried here is only tried elsewhere, and counts for nobody.
      if (isTrial()) return near ? near(input) : tryFar(contract, name, input, options);
      const snapshot = placements.current;
      const share = sharesTraffic(snapshot) ? shareIn(currentFlow()) : undefined;
      const side = sideOfCall(snapshot, module, share);
      if (nearby && side === 'in-process') return nearby(input);
      if (nearby && share && mayFallBack(snapshot, module, share) && !hasHealthy(snapshot, module)) {
        stats?.fellBack(module, name, 0, caller);
        return nearby(input);
      }
      return remote(contract, name, input, caller, side, share);
    };
    client[name] = strict
      ? (input) => {
          const open = currentFlow()?.transaction;
          if (open) throw new RefInsideTransaction(module, name, open);
          return fork(input);
        }
      : fork;
  }
  return client as Client<C>;
}

/** Where the callee could not tell, neither can who asked: nobody is to judge by it. */
async function tryFar(
  contract: Contract,
  name: string,
  input: unknown,
  { remote, placements, caller }: RefOptions,
): Promise<unknown> {
  const { module } = contract;
  if (!remote.tried) throw tooFarForTrial(module, name);
  const trial = presentTrial();
  const share = shareIn(currentFlow());
  const side = sideOfCall(placements.current, module, share);
  try {
    const answer = await remote.tried(contract, name, input, caller, side, share);
    if (answer.disturbed !== undefined && trial) trial.disturbed ??= answer.disturbed;
    return outputOf(answer);
  } catch (error) {
    const { status = 503, message } = error as Partial<Problem> & Error;
    if (status >= 502 && trial) trial.disturbed ??= `${module}.${name} could not be tried: ${message}`;
    throw error;
  }
}

function tooFarForTrial(module: string, operation: string) {
  return libraryProblem('unavailable', {
    detail: `${module}.${operation} runs in another process, and what is only tried stays in one. Nothing was done.`,
  });
}

/** A ref was called while a store transaction was open: extracted, it would hold row locks over the network. */
export class RefInsideTransaction extends Error {
  constructor(module: string, operation: string, opened: string) {
    super(
      `${module}.${operation} was called inside the store transaction opened at ${opened}. ` +
        'Call it before the transaction, or publish an event inside it.',
    );
    this.name = 'RefInsideTransaction';
  }
}
