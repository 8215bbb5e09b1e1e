// Who may use a store at a server: the module's role there has its rights, or none on any table. Guarantee: once `fence` and
// `olderGone` have come to their ends nothing of the module commits on that server any more: a revoke alone lets a transaction
// that was open write on, since it looks at its rights no more. It must not know why.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { noTableRights, tableRights } from '../../postgres/roles.ts';
import { atSameInstant } from '../../postgres/same-instant.ts';
import type { Moving } from './moving.ts';

const LOOK_MS = 4;
const { escapeIdentifier: quoted } = pg;

/** A transaction of the module's role that began before the fence. */
export interface Older {
  readonly pid: number;
  readonly application: string;
  readonly state: string;
  readonly seconds: number;
}

/** Takes its rights; waits for nobody. Answers the moment (the server's) from which on nothing new can write. */
export async function fence(client: pg.Client, moving: Moving): Promise<string> {
  await asOwnerAtOnce(client, moving, noTableRights(moving));
  const { rows } = await client.query<{ at: string }>('SELECT clock_timestamp()::text AS at');
  return rows[0]!.at;
}

/** Gives it the rights that provisioning gives. Durable when it has come to its end, and with it all that was applied before. */
export async function unfence(client: pg.Client, moving: Moving): Promise<void> {
  const { schema, runtime } = moving;
  const history = `${quoted(schema)}._prisma_migrations`;
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    history,
  ]);
  const readOnly = rows[0]!.there
    ? `REVOKE INSERT, UPDATE, DELETE ON ${history} FROM ${quoted(runtime)};`
    : '';
  await asOwnerAtOnce(client, moving, `${tableRights(moving)};${readOnly}`);
}

/** Whether the role may write no table of the schema. A schema that is not there, or is empty, is open. */
export async function isFenced(client: pg.Client, { schema, runtime }: Moving): Promise<boolean> {
  const { rows } = await client.query<{ fenced: boolean | null }>(
    `SELECT bool_and(NOT has_table_privilege($2, c.oid, 'INSERT, UPDATE, DELETE')) AS fenced
     FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
     WHERE s.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname <> '_prisma_migrations'
       AND EXISTS (SELECT FROM pg_roles WHERE rolname = $2)`,
    [schema, runtime],
  );
  return rows[0]!.fenced === true;
}

/**
 * Waits until the role's transactions that began before that moment have ended; answers those that have not in time.
 * @param mayEnd whether a session that only holds its transaction open may be ended, by its application's name.
 */
export async function olderGone(
  client: pg.Client,
  moving: Moving,
  since: string,
  withinMs: number,
  mayEnd: (application: string) => boolean,
): Promise<readonly Older[]> {
  const end = performance.now() + withinMs;
  for (;;) {
    const older = await olderThan(client, moving, since);
    // One that may not be ended by us is waited for.
    for (const { pid, state, application } of older)
      if (state.startsWith('idle in transaction') && mayEnd(application))
        await client.query('SELECT pg_terminate_backend($1)', [pid]).catch(() => {});
    if (older.length === 0 || performance.now() >= end) return older;
    await pause(LOOK_MS);
  }
}

/** Throws where what this session sees of the role's transactions is nothing, though there may be some. */
export async function refuseBlind(client: pg.Client, { runtime }: Moving): Promise<void> {
  const { rows } = await client.query<{ sees: boolean; user: string }>(
    `SELECT current_user AS user, pg_has_role($1, 'USAGE') OR pg_has_role('pg_read_all_stats', 'USAGE') AS sees`,
    [runtime],
  );
  if (!rows[0]!.sees)
    throw new Error(
      `${rows[0]!.user} may not see which transactions of ${runtime} are open. As a superuser run: GRANT "${runtime}" TO "${rows[0]!.user}"`,
    );
}

/** The role's transactions that began before that moment, or that are open now. */
export async function olderThan(
  client: pg.Client,
  { runtime }: Moving,
  since = 'infinity',
): Promise<readonly Older[]> {
  const { rows } = await client.query<Older>(
    `SELECT pid, application_name AS application, coalesce(state, 'unknown') AS state,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds
     FROM pg_stat_activity
     WHERE usename = $1 AND datname = current_database() AND xact_start < $2::timestamptz AND pid <> pg_backend_pid()`,
    [runtime, since],
  );
  return rows;
}

export function inWords(older: readonly Older[]): string {
  return older
    .map(
      ({ pid, application, state, seconds }) =>
        `${application || 'a session'} (pid ${pid}, ${state}, ${seconds.toFixed(1)} s)`,
    )
    .join(', ');
}

/** One round trip: statements that are sent together are one transaction. */
async function asOwnerAtOnce(client: pg.Client, { owner }: Moving, statements: string): Promise<void> {
  await atSameInstant(() => client.query(`SET LOCAL ROLE ${quoted(owner)}; ${statements}`));
}
