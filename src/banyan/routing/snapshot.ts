// Where every module serves at this moment, as one immutable picture in memory. Refs and the gateway read
// it on every call; only the follower replaces it. It knows no module by name.

import type { Scope } from '../context/scopes.ts';
import type { NamedKey } from '../identity/keys.ts';
import type { ServerAddress } from '../postgres/server-address.ts';

/**
 * As it is stored and shown. In `shadow` the service answers nobody and is asked what it would; in `canary` a share of the
 * requests goes to it, and `percent` says which.
 */
export type Placement = 'in-process' | 'shadow' | 'canary' | 'service';

/** How many percent of what is served in-process the service is asked as well, to compare. */
export interface Mirror {
  readonly reads: number;
  readonly writes: number;
  /** Of each operation that writes the first so many in each process, whatever the percent is. Absent: none. */
  readonly first?: number;
}

/** What one request or call was decided to. */
export type Side = 'in-process' | 'service';

/** A way into a host's dispatcher. */
export type Door = 'ws' | 'http';

/** A process that can serve a module. */
export interface Instance {
  /** `monolith` or `<module>-<n>`. */
  readonly id: string;
  /** Unique per process (an id is reused by the next process of that number). */
  readonly host: string;
  /** Base URL of its internal port, for example `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly pid: number;
  readonly doors: readonly Door[];
  readonly healthy: boolean;
  /** It is of the version before, and takes no token but by INTERNAL_KEY. */
  readonly legacy?: true;
  /** Of which release it says to be; absent: it says nothing of it. */
  readonly release?: string;
}

/** A release of a module beside the one before: which instances a key goes to. */
export interface Deploy {
  readonly release: string;
  /** Of the keys, those whose requests and calls its instances get: 0 to 100. */
  readonly percent: number;
  /** The releases that serve the other keys, '' for those that say none. Empty: whatever is not `release`. */
  readonly before: readonly string[];
}

/** What a host is told of an operator: enough to know the token when it is shown, and no way back to it. */
export interface OperatorKnown {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** `sha256:…`, or `scrypt:…` of ADMIN_TOKEN. */
  readonly hash: string;
}

export interface ModulePlacement {
  readonly module: string;
  readonly placement: Placement;
  /** The share of requests that the service gets: 0, 100, or in `canary` what is between. */
  readonly percent: number;
  /** In `shadow` and `canary`; absent: nothing is mirrored. */
  readonly mirror?: Mirror;
  /** RFC 3339. */
  readonly changedAt: string;
  readonly changedBy: string;
  /** Milliseconds since the epoch by this host's clock; background work follows what is 2 s old. */
  readonly stableSince?: number;
  /** The service processes, by number. */
  readonly instances: readonly Instance[];
  /** Absent: none is deployed beside another, and whoever is there serves. */
  readonly deploy?: Deploy;
}

export interface Snapshot {
  /** Grows with every change of a placement or of the registry; what a host acknowledges. */
  readonly version: number;
  readonly modules: Readonly<Record<string, ModulePlacement>>;
  /** The hosts that run every module and the gateway. */
  readonly monoliths: readonly Instance[];
  /** User id to the epoch below which a session token is revoked. */
  readonly revoked: Readonly<Record<string, number>>;
  /** Who may administer; absent in a picture that a monolith of the version before sent. */
  readonly operators?: readonly OperatorKnown[];
  /** Sessions that were ended one by one, by name. A monolith of the version before does not tell. */
  readonly revokedSessions?: Readonly<Record<string, 1>>;
  /** The public keys of sessions (RFC 7517): all by which a living session may be signed. The first signs now. */
  readonly jwks?: { readonly keys: readonly PublicKey[] };
  /** Who may speak as which service, by its name: `monolith` (monoliths and gateways), or `<module>` of `<module>-<n>`. */
  readonly services?: Readonly<Record<string, ServiceIdentity>>;
  /** The public keys (X25519) by which texts are sealed for a module, by its name. The first seals now. */
  readonly seals?: Readonly<Record<string, readonly PublicKey[]>>;
  /**
   * Modules that may say of a call that it is part of a replay of past events, as monoliths announced, each with the end of
   * that in milliseconds since the epoch.
   */
  readonly replays?: Readonly<Record<string, number>>;
  /** Until when hosts keep traces, in milliseconds since the epoch; absent: nobody has asked for any. */
  readonly recordingUntil?: number;
  /** Where stores are, by module that has ever moved; of all others: on the shared server, open. */
  readonly stores?: Readonly<Record<string, StorePlace>>;
}

/** Where the store of a module is. */
export interface StorePlace {
  /** `shared`, `own`, or a name. */
  readonly server: string;
  /** Grows with each move: of two places the later one is right. */
  readonly epoch: number;
  /** `held`: nothing new begins until it is open again. */
  readonly gate: 'open' | 'held';
  /** Absent: as each host's own DATABASE_URL says. */
  readonly address?: ServerAddress;
  /** Where it is about to go; while the gate is open: may go soon, `{}` for where each host's own DATABASE_URL says. */
  readonly next?: Partial<ServerAddress>;
}

/** The public half of a key pair, as JWK. */
export type PublicKey = Readonly<NamedKey>;

export interface ServiceIdentity {
  /** The public keys (Ed25519) of its internal tokens. The first signs now. */
  readonly keys: readonly (PublicKey & {
    /** What it was made for, where its service has keys for more. */
    readonly for?: Pick<ServiceIdentity, 'modules' | 'uses'>;
  })[];
  /** The modules that it may run. */
  readonly modules: readonly string[];
  /** The modules that it may call: what its own ones name in `uses`. */
  readonly uses: readonly string[];
}

/** What refs, the gateway and the background runner see of placement. */
export interface Placements {
  /** The present picture. Reading it is a property access. */
  readonly current: Snapshot;
  /** Calls back after every replacement; answers the function that stops it. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void;
  /** Reads the store again now, for a caller that found nobody where the picture says. Never throws. */
  refresh(): Promise<Snapshot>;
}
