// What the console's page shows of the whole, as plain data: where modules serve, who is there, what flows between and what
// it takes. Keyed objects rather than lists, so that a change is small. Types alone; the page has them too.
import type { Entry } from '../../placement/admin-contract.ts';
import type { Transfer } from '../../placement/transfer-contract.ts';
import type { Placement } from '../../routing/snapshot.ts';
import type { StoreEntry } from '../../servers/desk/contract.ts';

export type PictureSide = 'in-process' | 'service';

/** Over the last 10 seconds. */
export interface Numbers {
  readonly perSecond: number;
  /** Milliseconds, to the edge of a bucket; absent: none was timed. */
  readonly p50?: number;
  readonly p99?: number;
  /** Share of those watched that failed, 0 to 1. */
  readonly errors: number;
}

export interface PictureFlip {
  /** `in-process`, `canary 10%`. */
  readonly from: string;
  readonly to: string;
  /** RFC 3339. */
  readonly at: string;
  readonly by: string;
  /** Requests under way to the side that it left. */
  readonly draining: number;
  /** Requests of the module that failed from the flip until it was over, on all hosts; absent: nobody looked when it began. */
  readonly failed?: number;
  /** Nothing is under way any more. */
  readonly over: boolean;
  /** When that was seen, RFC 3339; absent: it is not over, or nobody saw it. */
  readonly overAt?: string;
}

export interface PictureModule extends Pick<Entry, 'percent' | 'desired' | 'changedAt' | 'changedBy'> {
  readonly placement: Placement;
  readonly mirror?: NonNullable<Entry['mirror']>;
  readonly mirrorPaused?: string;
  readonly ladder?: NonNullable<Entry['ladder']>;
  /** A release beside the one before. */
  readonly deploy?: NonNullable<Entry['deploy']>;
  /** Live hosts that do not know the placement. */
  readonly tooOld?: readonly string[];
  /** Its service processes, by id; what `banyan status` shows. */
  readonly instances: Readonly<Record<string, PictureInstance>>;
  /** Whom it calls. */
  readonly uses: readonly string[];
  /** Its place: the longest way down from it along refs. */
  readonly layer: number;
  /** All that asked it, by side. */
  readonly numbers: Readonly<Partial<Record<PictureSide, Numbers>>>;
  readonly flip?: PictureFlip;
  readonly store?: PictureStore;
  readonly transfer?: PictureTransfer;
  readonly outbox?: { readonly waiting: number; readonly oldestSeconds: number };
  /** Dead letters of its consumer. */
  readonly dead?: number;
  /** Events of its consumer that failed, and wait for the next try. */
  readonly retrying?: number;
  /** What of the log it does not read, or is refused: so many places. */
  readonly unread?: number;
}

export interface PictureInstance {
  /** Absent: it is being started. */
  readonly pid?: number;
  readonly url?: string;
  readonly release?: string;
  readonly healthy: boolean;
  /** It comes up: no process of it was healthy since it was wanted, or the one that is there has not been yet. */
  readonly starting?: true;
  readonly draining: boolean;
  readonly supervised: boolean;
  /** Who sends it nothing, and why. */
  readonly heldOut?: string;
  readonly differs?: string;
  readonly lastExit?: string;
}

/** What extracts or restores it, or did so last. */
export interface PictureTransfer
  extends Pick<Transfer, 'id' | 'to' | 'percent' | 'step' | 'startedBy' | 'startedAt' | 'changedAt'> {
  readonly reason?: string;
}

export interface PictureStore extends Pick<StoreEntry, 'server' | 'epoch' | 'state'> {
  readonly step?: NonNullable<StoreEntry['step']>;
  readonly lagBytes?: number;
}

export interface PictureHost {
  readonly id: string;
  readonly role: 'monolith' | 'gateway' | 'service';
  readonly pid: number;
  readonly live: boolean;
  readonly ready: boolean;
  readonly draining: boolean;
  /** The version of placements that it decides by. */
  readonly version: number;
  /** Requests that it serves, and that it sent to service sides. */
  readonly busy: number;
  readonly inflight: number;
  /** Processors' worth: 1 is a whole one; absent: not known yet. */
  readonly cpu?: number;
  readonly memoryBytes?: number;
  /** It does not answer: milliseconds since its last numbers (absent: it never gave any), and why. */
  readonly numbersAge?: number;
  readonly silent?: string;
}

/** By a call between modules: `caller>module`; of clients: `>module`. */
export type PictureRef = Readonly<Partial<Record<PictureSide, Numbers>>>;

/** `publisher>listener`. */
export interface PictureArrow {
  /** Events a second that the publisher sent over the last minute. */
  readonly perSecond: number;
  /** Not taken yet by the listener. */
  readonly events: number;
  /** Age of the oldest; absent: the log cannot tell. */
  readonly seconds?: number;
}

export interface PictureCost {
  readonly processes: number;
  readonly cpu: number;
  readonly memoryBytes: number;
}

export interface Picture {
  /** Milliseconds since the epoch, by the clock of the host that looked. */
  readonly at: number;
  readonly version: number;
  readonly modules: Readonly<Record<string, PictureModule>>;
  /** By the UUID of the process. */
  readonly hosts: Readonly<Record<string, PictureHost>>;
  readonly refs: Readonly<Record<string, PictureRef>>;
  readonly arrows: Readonly<Record<string, PictureArrow>>;
  /** Stuck sagas by module, where there are any; absent: this host does not know (yet). */
  readonly stuck?: Readonly<Record<string, number>>;
  /** What each side takes: `in-process` are monoliths and gateways. */
  readonly cost: Readonly<Record<PictureSide, PictureCost>>;
  /** What could not be read, in words, by what it is: `placements`, `events`, `sagas`, `stores`; with it stand older numbers. */
  readonly missing: Readonly<Record<string, string>>;
  /** When hosts kept traces last, or keep them, in milliseconds since the epoch; absent: nobody has looked at any. */
  readonly recorded?: { readonly since: number; readonly until: number };
}
