// What a host says of itself: once when it registers, and again with every heartbeat.

import type { ProcessIdentity } from '../context/process.ts';
import type { Door } from '../routing/snapshot.ts';
import type { CanonicalContract } from './canonical.ts';
import type { Difference } from './compatibility.ts';

export type HostRole = 'monolith' | 'gateway' | 'service';

export interface Registration {
  /** A UUID of this process; an id is used again by the next process of that number. */
  readonly host: string;
  /** `monolith` or `<module>-<n>`. */
  readonly id: string;
  readonly role: HostRole;
  readonly modules: readonly string[];
  /** Base URL of the internal port, as other hosts reach it. */
  readonly url: string;
  /** Base URL of the public port; absent on a service. */
  readonly publicUrl?: string;
  readonly doors: readonly Door[];
  readonly process: ProcessIdentity;
  /** The canonical contract of every module it runs, by module. */
  readonly contracts: Readonly<Record<string, CanonicalContract>>;
  /** The key that its tokens are signed by; null: INTERNAL_KEY, as in the version before. Filled in by control. */
  readonly kid?: string | null;
  /** Which words of placement it knows (words.ts). Filled in by who follows; absent: it is of the version before. */
  readonly speaks?: readonly string[] | undefined;
  /** Of which release it is (RELEASE); absent: it does not say. */
  readonly release?: string | undefined;
  /** How those differ, compatibly, from what control knows. Filled in by control. */
  readonly differences?: readonly (Difference & { readonly module: string })[];
}

/** A process that a gateway sends nothing to although it beats. */
export interface HeldOut {
  /** In words. */
  readonly reason: string;
  /** RFC 3339, by the clock of who holds it out. */
  readonly since: string;
}

/** The state that a host reports with every heartbeat. Counts are by module; absent means 0. */
export interface HostReport {
  /** Its modules can serve: doors open, stores answer. Not whether it is the public's turn yet. */
  readonly ready: boolean;
  /** It was told to stop and takes no new work. */
  readonly draining: boolean;
  /**
   * Requests that this host sent to the service side of a module and that are not finished. Must count a
   * request in the same turn in which the placement was read, or a drain could end before it.
   */
  readonly inflight: Readonly<Record<string, number>>;
  /** Requests that this host is serving itself, by module. */
  readonly busy: Readonly<Record<string, number>>;
  /** What its gateway holds out, by host; absent: nothing, or it has none. */
  readonly held?: Readonly<Record<string, HeldOut>>;
  /** What its pools have done of where stores are, by module that has ever moved and runs here. */
  readonly stores?: Readonly<Record<string, StoreReport>>;
}

/** Held with nothing open: done. What was only read of the picture is never said. */
export interface StoreReport {
  /** Of the place that the pool is at. */
  readonly epoch: number;
  readonly held: boolean;
  /** What is under way. */
  readonly open: number;
  /** Its connections are there where it may go soon. */
  readonly ready?: boolean;
}

export interface Heartbeat extends HostReport {
  readonly host: string;
  /** The version of the snapshot that this host decides by now. */
  readonly appliedVersion: number;
  /** As of its registration; the monolith that took that may have been of the version before. */
  readonly speaks?: readonly string[] | undefined;
}
