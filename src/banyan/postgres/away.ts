// A schema whose store is on another server, marked as such. Versions that know of one server alone grant a module its rights anew
// at their start: they would open the fence, and two servers would have an owner each. They do refuse a schema that is not
// its role's, so while the store is elsewhere the administrator has it. Guarantees: who may read and write is not changed by
// it; the tables keep their owner, who may still make others; a schema that is not Banyan's is never marked.
import pg from 'pg';
import { atSameInstant } from './same-instant.ts';

const MARK = 'banyan elsewhere';
const PLAIN = 'banyan';
const { escapeIdentifier: quoted, escapeLiteral: text } = pg;

export interface Marked {
  readonly schema: string;
  /** Of its tables, and of the schema itself where the store is. */
  readonly owner: string;
}

/** What the schema's comment says of its state. */
export const stateWhere = (state: string, away: boolean) => (away ? state.replace(PLAIN, MARK) : state);

export const isMarked = (comment: string | null) => comment?.startsWith(MARK) === true;

export async function isAway(client: pg.Client, { schema }: Pick<Marked, 'schema'>): Promise<boolean> {
  const { rows } = await client.query<{ comment: string | null }>(
    `SELECT obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE nspname = $1`,
    [schema],
  );
  return isMarked(rows[0]?.comment ?? null);
}

/** Repeatable; of a schema that is not there, or is somebody else's, nothing. Answers whether it is as it should be now. */
export function markAway(client: pg.Client, { schema, owner }: Marked, away: boolean): Promise<boolean> {
  return atSameInstant(async () => {
    const { rows } = await client.query<{ comment: string | null; owner: string; me: string }>(
      `SELECT obj_description(oid, 'pg_namespace') AS comment, nspowner::regrole::text AS owner, current_user::text AS me
       FROM pg_namespace WHERE nspname = $1`,
      [schema],
    );
    const found = rows[0];
    if (!found) return true;
    const { comment } = found;
    if (!comment?.startsWith(PLAIN)) return false;
    if (isMarked(comment) === away) return true;
    const [s, o] = [quoted(schema), quoted(owner)];
    const bare = comment.replace(MARK, PLAIN);
    await client.query(
      away
        ? `BEGIN; ALTER SCHEMA ${s} OWNER TO CURRENT_USER; GRANT USAGE, CREATE ON SCHEMA ${s} TO ${o};
           COMMENT ON SCHEMA ${s} IS ${text(stateWhere(bare, true))}; COMMIT`
        : `BEGIN; COMMENT ON SCHEMA ${s} IS ${text(bare)}; ALTER SCHEMA ${s} OWNER TO ${o}; COMMIT`,
    );
    return true;
  });
}

/** Where there is no such schema, an empty one stands for it: a version that knows of one server alone would make it anew. */
export async function standFor(client: pg.Client, marked: Marked): Promise<void> {
  const s = quoted(marked.schema);
  const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [marked.schema]);
  if (rowCount === 0) await client.query(`CREATE SCHEMA ${s}; COMMENT ON SCHEMA ${s} IS ${text(MARK)}`);
  else await markAway(client, marked, true);
}
