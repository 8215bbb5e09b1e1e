// What a database server must be before anything is done in it. Every mistake is one line with its remedy.
import type pg from 'pg';
import { POOL_SIZE } from './connections.ts';

export interface ServerFacts {
  readonly database: string;
  readonly user: string;
  readonly version: number;
  readonly superuser: boolean;
  readonly mayCreateRoles: boolean;
  readonly mayCreateSchemas: boolean;
  /** Databases of the server that every role may enter, or make temporary tables in. */
  readonly open: readonly string[];
  /** Connections that roles without privileges may open, all hosts together. */
  readonly connections: number;
}

export async function readServer(client: pg.Client): Promise<ServerFacts> {
  const { rows } = await client.query<ServerFacts>(`
    SELECT current_database() AS database, current_user AS user,
      current_setting('server_version_num')::int / 10000 AS version,
      rolsuper AS superuser, rolcreaterole OR rolsuper AS "mayCreateRoles",
      (SELECT coalesce(array_agg(datname::text ORDER BY datname), '{}') FROM pg_database WHERE
        has_database_privilege('public', oid, 'CONNECT') OR has_database_privilege('public', oid, 'TEMPORARY')) AS open,
      has_database_privilege(current_database(), 'CREATE') AS "mayCreateSchemas",
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0) AS connections
    FROM pg_roles WHERE rolname = current_user`);
  return rows[0]!;
}

/** Pools of a monolith that runs `modules` modules and has `schemas` other schemas, and one each that listens. */
export function connectionsOf(modules: number, schemas: number): number {
  return (modules + schemas) * (POOL_SIZE + 1);
}

/** @param needed connections of this host at most. Throws an error that says what is wrong and what helps. */
export function checkServer({ database, user, version, ...can }: ServerFacts, needed: number): void {
  if (version < 16) {
    throw new Error(`DATABASE_URL: the server is PostgreSQL ${version}. Banyan needs 16 or newer.`);
  }
  if (!can.mayCreateRoles) {
    throw new Error(
      `DATABASE_URL: the role ${user} may not create roles. Run: ALTER ROLE "${user}" CREATEROLE`,
    );
  }
  if (!can.mayCreateSchemas) {
    throw new Error(
      `DATABASE_URL: the role ${user} may not create schemas. Run: GRANT CREATE ON DATABASE "${database}" TO "${user}"`,
    );
  }
  if (can.connections < needed) {
    throw new Error(
      `DATABASE_URL: the server takes ${can.connections} connections and this host may open ${needed}. Raise max_connections to at least ${needed + 10}.`,
    );
  }
}
