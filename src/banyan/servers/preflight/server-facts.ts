// What a server is, may and has room for, and what a pair needs of it.

import type { Moving, ServerAt } from '../pair/moving.ts';
import type { End } from '../pair/subscription.ts';
import type { Finding } from './finding.ts';

export interface ServerFacts {
  readonly version: number;
  readonly user: string;
  readonly database: string;
  /** One server and one database have one, whatever URL leads there. */
  readonly identity: string;
  /** How it compares and keeps text. */
  readonly text: string;
  readonly walLevel: string;
  readonly keptWal: string;
  readonly mayReplicate: boolean;
  readonly mayCreateRoles: boolean;
  readonly mayCreate: boolean;
  readonly maySubscribe: boolean;
  readonly connections: number;
  /** By the name of the setting: how many there may be, and are. */
  readonly limits: Readonly<Record<string, readonly [most: number, used: number]>>;
  /** A pair of this module is there already. */
  readonly paired: boolean;
}

const SQL = `
  SELECT current_setting('server_version_num')::int / 10000 AS version, current_user AS user, current_database() AS database,
    (SELECT system_identifier::text FROM pg_control_system()) || '/' || d.oid AS identity,
    concat_ws(' ', pg_encoding_to_char(d.encoding), d.datlocprovider, d.datcollate, d.datctype,
      coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')) AS text,
    current_setting('wal_level') AS "walLevel", current_setting('max_slot_wal_keep_size') AS "keptWal",
    r.rolsuper OR r.rolreplication AS "mayReplicate", r.rolsuper OR r.rolcreaterole AS "mayCreateRoles",
    has_database_privilege(d.oid, 'CREATE') AS "mayCreate",
    r.rolsuper OR pg_has_role('pg_create_subscription', 'USAGE') AS "maySubscribe",
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) AS connections,
    jsonb_build_object(
      'max_replication_slots', ARRAY[current_setting('max_replication_slots')::int,
        (SELECT count(*) FROM pg_replication_slots)],
      'max_wal_senders', ARRAY[current_setting('max_wal_senders')::int, (SELECT count(*) FROM pg_stat_replication)],
      'max_logical_replication_workers', ARRAY[current_setting('max_logical_replication_workers')::int,
        (SELECT count(*) FROM pg_stat_subscription WHERE pid IS NOT NULL)],
      'max_worker_processes', ARRAY[current_setting('max_worker_processes')::int,
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%')],
      'max_active_replication_origins',
        ARRAY[coalesce(current_setting('max_active_replication_origins', true), current_setting('max_replication_slots'))::int,
        (SELECT count(*) FROM pg_replication_origin)]) AS limits,
    EXISTS (SELECT FROM pg_subscription WHERE subdbid = d.oid AND subname LIKE $1) AS paired
  FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`;

export async function readFacts({ client }: End, moving: Moving): Promise<ServerFacts> {
  const pattern = `${moving.runtime.replaceAll('_', '\\_')}\\_to\\_%`;
  return (await client.query<ServerFacts>(SQL, [pattern])).rows[0]!;
}

/** What two servers must have in common. */
export function unlikeFindings(
  source: ServerAt,
  target: ServerAt,
  one: ServerFacts,
  other: ServerFacts,
): Finding[] {
  const [a, b] = [source.name, target.name];
  if (one.identity === other.identity)
    return [
      {
        code: 'same-server',
        detail: `${a} and ${b} are the same database (${one.database})`,
        remedy: 'Name another server, or another database of it',
      },
    ];
  const found: Finding[] = [];
  if (one.version !== other.version)
    found.push({
      code: 'version-differs',
      detail: `${a} is PostgreSQL ${one.version} and ${b} is ${other.version}`,
      remedy: `Use a server of version ${one.version}: a move is no upgrade`,
    });
  if (one.text !== other.text)
    found.push({
      code: 'text-differs',
      detail: `text is kept or compared differently: ${one.text} on ${a}, ${other.text} on ${b}`,
      remedy: `Create the database on ${b} with the encoding, provider and locale of the one on ${a}`,
    });
  return found;
}

/** @param needed connections that hosts may open there. */
export function serverFindings(
  { name }: ServerAt,
  { user, database, ...facts }: ServerFacts,
  needed = 0,
): Finding[] {
  const rules: readonly (readonly [boolean, string, string, string])[] = [
    [facts.version < 16, 'version-too-old', `is PostgreSQL ${facts.version}`, 'Use 16 or newer'],
    [
      facts.walLevel !== 'logical',
      'wal-level',
      `has wal_level = ${facts.walLevel}`,
      'Set wal_level = logical there, and restart it',
    ],
    [
      facts.keptWal === '-1',
      'wal-kept-without-end',
      'would keep its log without end while the other server is gone, until its disk is full',
      "Run there: ALTER SYSTEM SET max_slot_wal_keep_size = '4GB'; SELECT pg_reload_conf(). An embedded server has it after all hosts were stopped and started once",
    ],
    [
      !facts.mayReplicate,
      'may-not-replicate',
      `does not let ${user} make a role that replicates`,
      `As a superuser run there: ALTER ROLE "${user}" REPLICATION (managed servers have a role of their own for it)`,
    ],
    [
      !facts.mayCreateRoles,
      'may-not-create-roles',
      `does not let ${user} create roles`,
      `Run there: ALTER ROLE "${user}" CREATEROLE`,
    ],
    [
      !facts.maySubscribe,
      'may-not-subscribe',
      `does not let ${user} make subscriptions`,
      `As a superuser run there: GRANT pg_create_subscription TO "${user}"`,
    ],
    [
      !facts.mayCreate,
      'may-not-create',
      `does not let ${user} create schemas and publications in ${database}`,
      `Run there: GRANT CREATE ON DATABASE "${database}" TO "${user}"`,
    ],
    [
      facts.connections < needed,
      'too-few-connections',
      `takes ${facts.connections} connections and hosts may open ${needed}`,
      `Raise max_connections there to at least ${needed + 10}, and restart it`,
    ],
  ];
  return rules
    .filter(([wrong]) => wrong)
    .map(([, code, detail, remedy]) => ({ code, detail: `${name} ${detail}`, remedy }));
}

/** Beside what is there: the stream that stands, and at the copy one table at a time. */
const needs = { source: { sends: 2, receives: 1 }, target: { sends: 1, receives: 2 } };

export function limitFindings({ name }: ServerAt, facts: ServerFacts, as: 'source' | 'target'): Finding[] {
  if (facts.paired) return [];
  const { sends, receives } = needs[as];
  return Object.entries(facts.limits).flatMap(([limit, [most, used]]) => {
    const need = /slots$|senders/.test(limit) ? sends : receives;
    if (most - used >= need) return [];
    // Before version 18 there was one setting for both.
    const setting =
      limit === 'max_active_replication_origins' && facts.version < 18 ? 'max_replication_slots' : limit;
    return {
      code: 'too-few-workers',
      detail: `${name} has ${setting} = ${most}, ${used} are in use, and a pair needs ${need}`,
      remedy: `Set ${setting} = ${Math.max(16, used + 2 * need)} there and restart it. An embedded server has more after all hosts were stopped and started once`,
    };
  });
}
