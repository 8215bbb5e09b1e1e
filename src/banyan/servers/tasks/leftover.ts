// The schema that a store had on a server before, dropped there. Guarantees: not one that lets the module write, that follows or is
// followed, or that anybody uses now or has read within the last hour; what a module brought beside its schema, and its roles,
// stay. It must not know where the store is: its caller has looked.
import pg from 'pg';
import { isMarked, standFor } from '../../postgres/away.ts';
import { isFenced } from '../pair/fence.ts';
import { type Moving, publicationOf, type ServerAt } from '../pair/moving.ts';
import { withSession } from '../pair/sessions.ts';
import { NoUse } from './failures.ts';

/** Who uses it has it locked: such a one is not waited for. */
const LOCK_MS = 1_000;
/** Dropping takes as long as the files take. */
const DROP_MS = 60_000;
const SHARED = 'shared';
const LOCKED = '55P03';
const { escapeIdentifier: quoted } = pg;

/** @param since it was left: who read it before read the store. */
export function dropLeftover(server: ServerAt, moving: Moving, since: string): Promise<void> {
  const { schema, owner, module } = moving;
  const kept = (why: string) => new NoUse(`${schema} on ${server.name} is not dropped: ${why}`);
  const drop = async (client: pg.Client) => {
    const { rows } = await client.query<{
      owner: string;
      read: string | null;
      followed: boolean;
      tables: number;
      comment: string | null;
    }>(LOOK, [schema, since, publicationOf(moving)]);
    const found = rows[0];
    if (!found) return;
    if (found.tables === 0 && isMarked(found.comment)) return;
    if (found.owner !== owner && !isMarked(found.comment)) throw kept(`it belongs to ${found.owner}`);
    if (found.followed) throw kept('a server follows it');
    if (found.tables > 0 && !(await isFenced(client, moving))) throw kept(`${module} may write there`);
    if (found.read !== null) throw kept(`somebody read ${found.read} within the last hour`);
    try {
      await client.query(
        `BEGIN; SET LOCAL lock_timeout = ${LOCK_MS}; DROP SCHEMA ${quoted(schema)} CASCADE; COMMIT`,
      );
      if (server.name === SHARED) await standFor(client, moving);
    } catch (error) {
      if ((error as { code?: string }).code === LOCKED) throw kept('somebody uses it');
      throw error;
    }
  };
  return withSession(server, `left ${module}`, drop, DROP_MS);
}

/** Also a table of which the server has no count yet is looked at. */
const LOOK = `SELECT s.nspowner::regrole::text AS owner, obj_description(s.oid, 'pg_namespace') AS comment,
    EXISTS (SELECT FROM pg_publication WHERE pubname = $3) AS followed,
    (SELECT count(*)::int FROM pg_class c WHERE c.relnamespace = s.oid AND c.relkind IN ('r', 'p') AND c.relname <> '_prisma_migrations') AS tables,
    (SELECT t.relname FROM pg_stat_user_tables t WHERE t.schemaname = s.nspname
       AND greatest(t.last_seq_scan, t.last_idx_scan) > greatest($2::timestamptz, clock_timestamp() - interval '1 hour') LIMIT 1) AS read
  FROM pg_namespace s WHERE s.nspname = $1`;
