// What a database server says of itself, in one session of its administrator: what judges need of it, all at once. Guarantee: it
// changes nothing there. It judges nothing.
import type pg from 'pg';
import { compareMigrations } from '../postgres/migrations.ts';
import { type ClockSeen, readClock } from './clocks.ts';

/** A server that stores are on or can go to. */
export interface ServerAsked {
  /** `shared`, a name of STORE_<NAME>_URL, or `own (parcels)`. */
  readonly subject: string;
  /** An embedded one, on the machine of the host that looks. */
  readonly isHere: boolean;
  /** Whose stores are on it. */
  readonly modules: readonly string[];
  /** It has a store that another one follows, or follows one. */
  readonly isPaired: boolean;
}

export interface Slot {
  readonly name: string;
  readonly active: boolean;
  /** Bytes of the log that it keeps. */
  readonly kept: number;
  /** `reserved`, `extended`, `unreserved`, `lost`. */
  readonly state: string | null;
}

export interface ServerReading {
  readonly asked: ServerAsked;
  readonly clock: ClockSeen;
  /** 180004 is 18.4. */
  readonly versionNumber: number;
  readonly database: string;
  readonly user: string;
  readonly isStandby: boolean;
  /** Connections that all hosts together may open, and that there are now of any. */
  readonly takes: number;
  readonly open: number;
  readonly senders: number;
  readonly allSlots: number;
  /** Whether it keeps its log (WAL) elsewhere, `off` or not, and since when that fails; null: it does not. */
  readonly archive: { readonly mode: string; readonly failing: string | null };
  /** Where its files are; null: this user may not know. */
  readonly folder: string | null;
  /** By name, as sessions begin with it, in the unit of the server. */
  readonly settings: Readonly<Record<string, string>>;
  /** Those that the server was started with: no statement changes them. */
  readonly onCommandLine: readonly string[];
  /** What sessions of a role begin with, where something was set for it, for the database, or for all roles. */
  readonly given: readonly {
    readonly role: string;
    readonly name: string;
    readonly value: string;
    readonly by: 'role' | 'database' | 'all';
  }[];
  /** Of this database. */
  readonly slots: readonly Slot[];
  readonly subscriptions: readonly string[];
  readonly publications: readonly string[];
  /** By module whose store is here; why they cannot be read, in words. */
  readonly migrations: Readonly<Record<string, Migrations | string>>;
}

type Migrations = Awaited<ReturnType<typeof compareMigrations>>;

/** What is judged of it, by whoever sets it: the configuration, the database, a role. */
export const WATCHED = [
  'autovacuum',
  'default_transaction_isolation',
  'default_transaction_read_only',
  'fsync',
  'full_page_writes',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'max_connections',
  'max_replication_slots',
  'max_slot_wal_keep_size',
  'max_wal_senders',
  'statement_timeout',
  'synchronous_commit',
  'TimeZone',
  'track_counts',
  'transaction_timeout',
  'wal_level',
] as const;

const SERVER_SQL = `
  SELECT current_setting('server_version_num')::int AS "versionNumber", current_database() AS database, current_user AS user,
    pg_is_in_recovery() AS "isStandby",
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) AS takes,
    (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS open,
    (SELECT count(*)::int FROM pg_stat_replication) AS senders,
    (SELECT count(*)::int FROM pg_replication_slots) AS "allSlots",
    (SELECT json_build_object('mode', current_setting('archive_mode'), 'failing',
       CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity') THEN last_failed_time END)
     FROM pg_stat_archiver) AS archive,
    (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS folder,
    (SELECT json_object_agg(name, reset_val) FROM pg_settings WHERE name = ANY ($1)) AS settings,
    ARRAY(SELECT name FROM pg_settings WHERE name = ANY ($1) AND source = 'command line') AS "onCommandLine"`;

/** What a role begins with is, in this order, what is set for it here, for it, for the database, for all. */
const GIVEN_SQL = `
  WITH given AS (
    SELECT setrole, setdatabase, split_part(one, '=', 1) AS name, substr(one, strpos(one, '=') + 1) AS value
    FROM pg_db_role_setting, unnest(setconfig) AS one
    WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  )
  SELECT DISTINCT ON (r.rolname, g.name) r.rolname AS role, g.name, g.value,
    CASE WHEN g.setrole <> 0 THEN 'role' WHEN g.setdatabase <> 0 THEN 'database' ELSE 'all' END AS by
  FROM pg_roles r JOIN given g ON g.setrole IN (0, r.oid)
  WHERE r.rolname = ANY ($1) AND g.name = ANY ($2)
  ORDER BY r.rolname, g.name, (g.setrole <> 0) DESC, (g.setdatabase <> 0) DESC`;

const SLOTS_SQL = `
  SELECT slot_name AS name, active, wal_status AS state,
    CASE WHEN pg_is_in_recovery() THEN 0 ELSE coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0) END::float8 AS kept
  FROM pg_replication_slots WHERE database = current_database() AND NOT temporary ORDER BY slot_name`;

const NAMES_SQL = `
  SELECT (SELECT coalesce(json_agg(subname ORDER BY subname), '[]') FROM pg_subscription
      WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())) AS subscriptions,
    (SELECT coalesce(json_agg(pubname ORDER BY pubname), '[]') FROM pg_publication) AS publications`;

type Whole = Omit<
  ServerReading,
  'asked' | 'clock' | 'given' | 'slots' | 'migrations' | 'subscriptions' | 'publications'
>;

/** @param roles of the library that log in there. @param prisma the product's folder of migrations. */
export async function readServer(
  client: pg.Client,
  asked: ServerAsked,
  roles: readonly string[],
  prisma: URL | undefined,
): Promise<ServerReading> {
  const rows = async <R extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
    (await client.query<R>(text, values)).rows;
  const clock = await readClock(
    async () =>
      (await rows<{ ms: number }>('SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms'))[0]!
        .ms,
  );
  const [whole] = await rows<Whole>(SERVER_SQL, [[...WATCHED]]);
  const given = await rows<ServerReading['given'][number]>(GIVEN_SQL, [
    [...roles, whole!.user],
    [...WATCHED],
  ]);
  const slots = await rows<Slot>(SLOTS_SQL);
  const [names] = await rows<Pick<ServerReading, 'subscriptions' | 'publications'>>(NAMES_SQL);
  const migrations: Record<string, Migrations | string> = {};
  for (const module of asked.modules)
    migrations[module] = await compareMigrations(client, prisma, module).catch(
      ({ message }: Error) => message,
    );
  return { asked, clock, ...whole!, given, slots, ...names!, migrations };
}
