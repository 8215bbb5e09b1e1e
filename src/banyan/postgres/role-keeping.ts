// The runtime roles kept as they were made: a look finds those that changed their own password or settings, and sets both
// again. At every start (provision.ts), and now and then by a monolith that runs. Guarantees: each change is told once, by
// the name of the role, and no password is ever in what is told.
import type pg from 'pg';
import type { Logger } from 'pino';
import { createClient } from './connections.ts';
import { hold } from './library-lock.ts';
import { changesOf, type RoleChange, readRoles, refusesPassword } from './role-changes.ts';
import { ensureRoles, roleState, type SchemaRoles } from './roles.ts';
import { readServer, type ServerFacts } from './server-check.ts';

export interface ChangedRole {
  readonly role: string;
  readonly changed: readonly RoleChange[];
}

export interface RoleKeeping {
  readonly adminUrl: string;
  readonly log: Logger;
  /** Hears of a role that changed itself, before it is set again. Default: a line of the log. */
  readonly onChangedRole?: (one: ChangedRole) => void;
}

/** Which roles changed themselves since they were set. */
export async function changedRoles(
  client: pg.Client,
  wanted: readonly SchemaRoles[],
  { superuser }: ServerFacts,
  adminUrl: string,
): Promise<ChangedRole[]> {
  const byName = new Map(wanted.map((one) => [one.runtime, one]));
  const looks = (await readRoles(client, [...byName.keys()], superuser)).map(async (one) => {
    const changed = changesOf(one);
    const roles = byName.get(one.role)!;
    // Of one that is to get another password it says nothing that the old one is refused.
    const asWanted = one.comment?.startsWith(roleState(roles)) === true;
    if (!superuser && asWanted && (await refusesPassword(urlAs(adminUrl, roles)))) changed.push('password');
    return { role: one.role, changed };
  });
  return (await Promise.all(looks)).filter(({ changed }) => changed.length > 0);
}

/** Looks once, and sets again what was changed. Rejects where the server does not answer. */
export async function restoreRoles(
  wanted: readonly SchemaRoles[],
  { adminUrl, log, onChangedRole = toldIn(log) }: RoleKeeping,
): Promise<void> {
  const client = await openRoleSession(adminUrl);
  try {
    const server = await readServer(client);
    if ((await changedRoles(client, wanted, server, adminUrl)).length === 0) return;
    const lock = await openRoleSession(adminUrl);
    try {
      await hold(lock, 'provision');
      for (const one of await changedRoles(client, wanted, server, adminUrl)) {
        onChangedRole(one);
        await ensureRoles(client, wanted.find(({ runtime }) => runtime === one.role)!, true);
      }
    } finally {
      await lock.end();
    }
  } finally {
    await client.end();
  }
}

export function toldIn(log: Logger): (one: ChangedRole) => void {
  return (one) =>
    log.warn(one, 'a database role changed itself; its password and its settings are set again');
}

function urlAs(adminUrl: string, { runtime, password }: SchemaRoles): string {
  const url = new URL(adminUrl);
  url.username = runtime;
  url.password = password;
  return url.href;
}

/** A session of the administrator's own for a look at roles. */
export async function openRoleSession(url: string): Promise<pg.Client> {
  const client = createClient({
    connectionString: url,
    application_name: 'banyan roles',
    connectionTimeoutMillis: 5_000,
    statement_timeout: 10_000,
  });
  await client.connect();
  return client;
}
