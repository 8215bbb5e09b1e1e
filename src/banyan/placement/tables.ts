// The control tables as rows: one statement reads them all, so that a picture is of one instant.
// What hosts and operators see (a snapshot, the admin answer) is computed from these rows and nothing else.

import type {
  Deploy,
  Door,
  Mirror,
  OperatorKnown,
  Placement,
  PublicKey,
  StorePlace,
} from '../routing/snapshot.ts';
import type { Sql } from '../store/store.ts';
import type { Difference } from './compatibility.ts';
import type { HeldOut, HostRole } from './host.ts';

export interface PlacementRow {
  readonly module: string;
  readonly placement: Placement;
  readonly percent: number;
  readonly mirror: Mirror | null;
  readonly changedAt: string;
  readonly changedBy: string;
  /** Milliseconds since the change, by the database's clock. */
  readonly age: number;
}

export interface HostRow {
  readonly host: string;
  readonly id: string;
  readonly role: HostRole;
  readonly modules: readonly string[];
  readonly url: string;
  readonly publicUrl: string | null;
  readonly pid: number;
  readonly machine: string;
  readonly started: string;
  readonly doors: readonly Door[];
  readonly live: boolean;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly retiring: boolean;
  readonly replaceable: boolean;
  readonly appliedVersion: number;
  readonly inflight: Readonly<Record<string, number>>;
  readonly busy: Readonly<Record<string, number>>;
  /** What its gateway sends nothing to, by host. */
  readonly held: Readonly<Record<string, HeldOut>>;
  /** The key by which it registered; null: it is of the version before. */
  readonly kid: string | null;
  /** Which words of placement it knows; of the version before: none said. */
  readonly speaks: readonly string[];
  /** Of which release it says to be. */
  readonly release: string | null;
  readonly differences: readonly (Difference & { readonly module: string })[];
  /** Milliseconds since the last heartbeat, by the database's clock. */
  readonly silence: number;
}

/** A local process that is wanted: number n of a module, whoever runs it now. */
export interface ServiceRow {
  readonly module: string;
  readonly number: number;
  readonly wanted: boolean;
  /** The host that looks after it; null or a host that is gone: anybody may take it over. */
  readonly supervisor: string | null;
  readonly machine: string | null;
  readonly pid: number | null;
  readonly started: string | null;
  /** Starts in a row that ended before the process was healthy. */
  readonly failures: number;
  readonly lastExit: string | null;
}

/** The public side of a row of the key ring. */
export interface KeyRow {
  readonly purpose: KeyPurpose;
  readonly name: string;
  readonly modules: readonly string[];
  readonly public: PublicKey;
}

export type KeyPurpose = 'session' | 'internal' | 'seal';

export interface Tables {
  readonly version: number;
  readonly placements: readonly PlacementRow[];
  readonly hosts: readonly HostRow[];
  readonly services: readonly ServiceRow[];
  /** By module of which a release is deployed beside another. */
  readonly deploys: Readonly<Record<string, Deploy>>;
  readonly revoked: Readonly<Record<string, number>>;
  /** Of each name and purpose the present one first. */
  readonly keys: readonly KeyRow[];
  /** By module of the product, those that it calls. */
  readonly uses: Readonly<Record<string, readonly string[]>>;
  /** Those whose tokens are good. */
  readonly operators: readonly OperatorKnown[];
  readonly revokedSessions: Readonly<Record<string, 1>>;
  /** By module that is asked in the course of a replay: until when, in milliseconds since the epoch. */
  readonly replays: Readonly<Record<string, number>>;
  /** By module that has ever moved. */
  readonly stores: Readonly<Record<string, StorePlace>>;
  /** Until when hosts keep traces, in milliseconds since the epoch; null: nobody has asked for any. */
  readonly recordingUntil: number | null;
  /** Since when, without a gap; null likewise. */
  readonly recordingSince: number | null;
  /** Changes whenever anything does that a snapshot shows. */
  readonly tag: string;
}

/** Sessions live for 12 hours: what was revoked before that has run out by itself. */
const RECENT = `at > now() - interval '13 hours'`;

/**
 * Cheap enough to ask twice a second: the version, and what every revocation changes. Of ended sessions both number and
 * sum, because two that commit at once may be seen in either order.
 */
export const TAG_SQL = `(SELECT version || '.' || (SELECT coalesce(sum(epoch), 0) + count(*) FROM revoked WHERE ${RECENT})
  || '.' || (SELECT count(*) || '.' || coalesce(sum(n), 0) FROM revoked_session) FROM state)`;

/** Of a key: the present one, then the newest first. */
export const PRESENT_FIRST_SQL = '(signs_from IS NOT NULL AND retired_at IS NULL) DESC, made_at DESC, kid';

const ageOf = (column: string) => `(extract(epoch FROM clock_timestamp() - ${column}) * 1000)::float8`;
const rows = (select: string) => `(SELECT coalesce(json_agg(r), '[]') FROM (${select}) r)`;

const TABLES_SQL = `SELECT json_build_object(
  'version', (SELECT version FROM state),
  'tag', ${TAG_SQL},
  'recordingUntil', (SELECT (extract(epoch FROM recording_until) * 1000)::bigint FROM state),
  'recordingSince', (SELECT (extract(epoch FROM recording_since) * 1000)::bigint FROM state),
  'placements', ${rows(`
    SELECT module, placement, percent, mirror, changed_by AS "changedBy", ${ageOf('changed_at')} AS age,
      to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "changedAt"
    FROM placement ORDER BY module`)},
  'hosts', ${rows(`
    SELECT host, id, role, modules, url, public_url AS "publicUrl", pid, machine, started, doors, live, ready,
      draining, retiring, replaceable, applied_version AS "appliedVersion", inflight, busy, held, kid, speaks,
      release, differences,
      ${ageOf('heartbeat_at')} AS silence
    FROM host ORDER BY registered_at, host`)},
  'services', ${rows(`
    SELECT module, number, wanted, supervisor, machine, pid, started, failures, last_exit AS "lastExit"
    FROM service ORDER BY module, number`)},
  'deploys', (SELECT coalesce(json_object_agg(module, json_build_object('release', release, 'percent', percent,
    'before', before)), '{}') FROM deploy),
  'operators', ${rows('SELECT name, scopes, hash FROM operator WHERE revoked_at IS NULL ORDER BY name')},
  'revoked', (SELECT coalesce(json_object_agg(user_id, epoch), '{}') FROM revoked WHERE ${RECENT}),
  'keys', ${rows(`SELECT purpose, name, modules, public FROM key ORDER BY purpose, name, ${PRESENT_FIRST_SQL}`)},
  'uses', (SELECT coalesce(json_object_agg(name, uses), '{}') FROM module),
  'replays', (SELECT coalesce(json_object_agg(module, (extract(epoch FROM until) * 1000)::bigint), '{}') FROM replay
    WHERE until > now()),
  'stores', (SELECT coalesce(json_object_agg(module, json_strip_nulls(json_build_object('server', server, 'epoch', epoch,
    'gate', gate, 'address', address, 'next', next))), '{}') FROM store),
  'revokedSessions', (SELECT coalesce(json_object_agg(id, 1), '{}') FROM revoked_session)
) AS tables`;

export async function readTables(sql: Sql): Promise<Tables> {
  const { rows } = await sql.query<{ tables: Tables }>(TABLES_SQL);
  return rows[0]!.tables;
}
