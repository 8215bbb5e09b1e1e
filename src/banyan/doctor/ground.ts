// What checks are handed by the host that looks, for one look: each part is read when a check first asks for it, and once, since
// several stand on the same rows. Types alone; the host ties it to what it has (host/doctor.ts).
import type { Picture } from '../console/shared/picture-shape.ts';
import type { SagaDesk } from '../console/system-shape.ts';
import type { LateNotices } from '../ladder/notices/notice-rows.ts';
import type { LogState } from '../log/port.ts';
import type { Key } from '../placement/key-contract.ts';
import type { OperatorRow } from '../placement/operators.ts';
import type { Tables } from '../placement/tables.ts';
import type { ConnectionNeeds } from '../postgres/connection-limits.ts';
import type { PairRow } from '../servers/tasks/pair-rows.ts';
import type { About } from './about.ts';
import type { HostSeen } from './asking.ts';
import type { ClockSeen } from './clocks.ts';
import type { Expected, Paired } from './pairs.ts';
import type { ServerAsked, ServerReading } from './server-reading.ts';

export interface Ground {
  /** What the host that looks says of itself. */
  readonly self: About;
  /** Notices have somebody to go to. */
  readonly told: boolean;
  readonly sagas: readonly SagaDesk[];
  tables(): Promise<Tables>;
  /** Of the control store, against the clock here. */
  clock(): Promise<ClockSeen>;
  /** The live ones, asked now. */
  hosts(): Promise<readonly HostSeen[]>;
  keys(): Promise<readonly Key[]>;
  operators(): Promise<readonly OperatorRow[]>;
  notices(): Promise<LateNotices>;
  /** Each server that is known, with why it cannot be looked at from here; the shared one at least. */
  servers(): Promise<readonly (ServerAsked & { readonly refusal: string | undefined })[]>;
  reading(server: ServerAsked): Promise<ServerReading>;
  /** By role, of the hosts that there are. */
  needs(server: ServerAsked): Promise<ConnectionNeeds>;
  /** Of a server that is here. */
  disk(reading: ServerReading): Promise<{ readonly free: number; readonly total: number } | undefined>;
  /** The pairs that stand; `mostKept` as the owner's server has it. */
  paired(): Promise<readonly Omit<Paired, 'mostKept'>[]>;
  pairRows(): Promise<readonly PairRow[]>;
  expected(): Promise<Expected>;
  log(): Promise<{
    readonly kind: 'kafka' | 'postgres';
    readonly wanted: readonly string[];
    readonly state: LogState;
  }>;
  /** Read when it is asked for, drawn with the hosts that come up, by the UUID of the process. */
  picture(): Promise<(starting: ReadonlySet<string>) => Picture>;
  oldestDead(): Promise<number | undefined>;
}
