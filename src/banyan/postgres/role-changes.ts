// What a role has changed of itself: PostgreSQL lets every role set its own password and the settings that its sessions
// begin with. How they were when they were last set stands in the role's comment, which it cannot write; a comparison tells.
// Only a superuser reads passwords as the server keeps them: for anybody else the way to know one is to log in with it.
// It changes nothing, and no password is in what it answers.
import type pg from 'pg';
import { createClient } from './connections.ts';

export interface RoleAsItIs {
  readonly role: string;
  readonly comment: string | null;
  readonly connectionLimit: number;
  /** Digests of what the server has written; of the password `-` where it cannot be read. */
  readonly settings: string;
  readonly password: string;
}

/** Those of the roles that there are. */
export async function readRoles(
  client: pg.Client,
  roles: readonly string[],
  superuser: boolean,
): Promise<RoleAsItIs[]> {
  const from = superuser ? 'pg_authid' : 'pg_roles';
  const password = superuser
    ? `left(encode(sha256(convert_to(coalesce(r.rolpassword, ''), 'UTF8')), 'hex'), 16)`
    : `'-'`;
  const { rows } = await client.query<RoleAsItIs>(
    `SELECT r.rolname AS role, shobj_description(r.oid, 'pg_authid') AS comment, r.rolconnlimit AS "connectionLimit",
       ${password} AS password,
       left(md5(coalesce((
         SELECT string_agg(s.setdatabase || ' ' || s.setconfig::text, ' ' ORDER BY s.setdatabase)
         FROM pg_db_role_setting s WHERE s.setrole = r.oid
       ), '')), 16) AS settings
     FROM ${from} r WHERE r.rolname = ANY ($1)`,
    [roles],
  );
  return rows;
}

export type RoleChange = 'password' | 'settings';

/** What is not as its comment says that it was set; nothing for a comment of another version, which is set anew anyway. */
export function changesOf({ comment, settings, password }: RoleAsItIs): RoleChange[] {
  const [, asSet, passwordAsSet] = /^banyan \w+\.(\w+)\.(\w+|-) /.exec(comment ?? '') ?? [];
  if (asSet === undefined) return [];
  const known = password !== '-' && passwordAsSet !== '-';
  return [
    ...(known && password !== passwordAsSet ? (['password'] as const) : []),
    ...(settings !== asSet ? (['settings'] as const) : []),
  ];
}

/** Whether the server refuses the password of this URL; a server that does not answer has refused nothing. */
export async function refusesPassword(url: string): Promise<boolean> {
  const client = createClient({
    connectionString: url,
    application_name: 'banyan look',
    connectionTimeoutMillis: 5_000,
  });
  try {
    await client.connect();
    return false;
  } catch (error) {
    return (error as { code?: string }).code === '28P01';
  } finally {
    await client.end().catch(() => {});
  }
}
