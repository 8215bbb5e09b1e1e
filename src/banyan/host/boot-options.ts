// What a module is booted with: what its host has, and shares with all modules that run there. Types only.
import type { Logger } from 'pino';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { Remote } from '../calls/ref.ts';
import type { Contract } from '../contract/contract.ts';
import type { Keys } from '../identity/held-keys.ts';
import type { Mirror } from '../ladder/shadow/mirror.ts';
import type { IsExempt } from '../limits/address.ts';
import type { EventLog } from '../log/port.ts';
import type { Placements } from '../routing/snapshot.ts';
import type { Sql } from '../store/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';
import type { Tracing } from '../telemetry/tracing.ts';

export interface BootOptions {
  readonly hostId: string;
  readonly log: Logger;
  /** Absent in tests of parts: nobody listens. */
  readonly security?: SecurityLog;
  /** Connection URL of the module's runtime role. */
  readonly databaseUrl: string;
  /** Connection URL of an extra schema of the module. */
  readonly schemaUrl: (schema: string) => string;
  readonly placements: Placements;
  /** The private keys of this host. Default: none. */
  readonly keys?: Keys;
  /** This module signs the sessions of the product. */
  readonly signsSessions?: boolean;
  /** Control, to which this host carries what such a module said of ended sessions; absent: others do. */
  readonly carriesTo?: Sql | undefined;
  readonly remote: Remote;
  /** Dispatchers of the modules booted so far: what it uses is among them if this host runs it. */
  readonly local: ReadonlyMap<string, Dispatcher>;
  readonly codec: boolean;
  readonly strict: boolean;
  readonly eventLog: EventLog;
  /** Every contract of the product: what may be listened to. */
  readonly contracts: readonly Contract[];
  readonly tracing: Tracing;
  /** Whose requests limits do not count. Default: those from this machine. */
  readonly isExempt?: IsExempt;
  readonly metrics?: Metrics;
  /** Where requests are tried on services as well: what does that for a module. */
  readonly mirrorOf?: ((contract: Contract) => Mirror) | undefined;
}
