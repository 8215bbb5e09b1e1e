// What a coordinator has others do: the mechanics between two servers, and what hosts do with a store. Types only; what
// stands behind them is tied in by the host, and stood in for by tests.
import type { Sql } from '../../store/store.ts';
import type { Copied } from '../pair/copying.ts';
import type { Between, Moving, ServerAt } from '../pair/moving.ts';
import type { PairState } from '../pair/pair-state.ts';
import type { Compared } from '../pair/verify.ts';
import type { Finding } from '../preflight/finding.ts';

export type { Between, Compared, Copied, Finding, Moving, PairState, ServerAt };

export interface Paused<Snapshots> {
  readonly moved: boolean;
  readonly why?: string | undefined;
  /** The same for scripts. */
  readonly code?: string | undefined;
  /** What a server that hangs has not done of taking it back. */
  readonly left?: string | undefined;
  readonly numbers: Readonly<Record<string, number>>;
  readonly snapshots?: Snapshots | undefined;
}

/** Between two servers. `Snapshots`: one instant on both sides, as a pause leaves it to who compares. */
export interface Mechanics<Snapshots = unknown> {
  preflight(between: Between): Promise<readonly Finding[]>;
  /** The target's schema, roles and library tables; what is there stays. */
  provision(between: Between): Promise<void>;
  /** Resolves when both directions stream. */
  makePair(between: Between, onProgress: (copied: Copied) => void, signal: AbortSignal): Promise<void>;
  pairState(between: Between): Promise<PairState>;
  /** What cannot be reached is left, and said. */
  dropPair(between: Between): Promise<readonly string[]>;
  /** Resolves when the target keeps up and nothing old is open. */
  lagGate(between: Between, signal: AbortSignal): Promise<void>;
  /** Replication carries no statistics. */
  refresh(between: Between): Promise<void>;
  pause(
    between: Between,
    by: {
      /** Answers who did not, in time. */
      hold(): Promise<readonly string[]>;
      commit(): Promise<void>;
      /** So long the last ones like it took, in milliseconds. */
      commitMs(): number;
      release(): Promise<void>;
      /** Rejects where another coordinator has taken over. */
      stillOurs(): Promise<void>;
    },
    options: { readonly rehearse: boolean },
  ): Promise<Paused<Snapshots>>;
  /**
   * After a coordinator that is gone: the owner is granted, the other is not. Rejects where the owner does not answer.
   * @returns what the other could not be told, in words.
   */
  recover(between: Between, owner: ServerAt): Promise<string | undefined>;
  /** Whether it is so that the owner alone, the source, lets the module in. */
  isSettled(between: Between): Promise<boolean>;
  compare(
    between: Between,
    snapshots: Snapshots | undefined,
    onProgress: (done: Copied) => void,
    signal: AbortSignal,
  ): Promise<readonly Compared[]>;
  /** The schema that was left on the target, since then. Rejects with NoUse where it may not go. */
  dropLeftover(between: Between, since: string): Promise<void>;
  /** Gives up what only the lost owner has: the target is made ready to own. */
  takeOver(between: Between): Promise<void>;
  /** What that would be, in words. */
  wouldBeLost(between: Between): Promise<string>;
}

/** Where a module's store is. */
export interface StoreLocation {
  readonly module: string;
  readonly server: string;
  readonly epoch: number;
  readonly gate: 'open' | 'held';
  /** Where it is about to go, or may go soon. */
  readonly next?: object;
  readonly pairedWith: string | null;
}

/** Where stores are, as rows that every host follows. */
export interface Places {
  read(): Promise<readonly StoreLocation[]>;
  /** Where it may go soon; like the next four in a transaction of control. */
  announce(tx: Sql, module: string, target: ServerAt): Promise<void>;
  hold(tx: Sql, module: string, target: ServerAt): Promise<void>;
  release(tx: Sql, module: string): Promise<void>;
  /** The commit point. */
  own(tx: Sql, module: string, target: ServerAt, pairedWith: string | null): Promise<void>;
  pairWith(tx: Sql, module: string, server: string | null): Promise<void>;
  /** The live hosts that run the module and have not said that they are ready to go where it may go soon. */
  notReady(module: string): Promise<readonly string[]>;
  /** The live hosts that run the module and have not said that its gate is shut and nothing is open. */
  notHeld(module: string, epoch: number): Promise<readonly string[]>;
  /** Those of them that have said nothing at all for so many milliseconds, and do not yet count as gone. */
  unheard(module: string, ms: number): Promise<readonly string[]>;
  /** Those that have not said that they are on this epoch. */
  notOn(module: string, epoch: number): Promise<readonly string[]>;
}

/** Which servers this monolith reaches. */
export interface Reach {
  /** Undefined: it does. Else why not, and what to do. */
  refusal(module: string, server: string): string | undefined;
  serverAt(module: string, server: string): Promise<ServerAt>;
  moving(module: string): Moving;
}
