// What a server shows to the one that follows it: a role that may read the one schema, and a publication of its tables.
// Repeatable: what is as it should be is not touched. It must not know who follows.
import pg from 'pg';
import { letConnect } from '../../postgres/roles.ts';
import { atSameInstant } from '../../postgres/same-instant.ts';
import { scramVerifier } from '../../postgres/scram-verifier.ts';
import { type Moving, pairRole, publicationOf } from './moving.ts';
import { type FollowedTable, tableName } from './tables-of.ts';

const { escapeIdentifier: quoted, escapeLiteral: text } = pg;

export async function ensureReadable(
  client: pg.Client,
  moving: Moving,
  tables: readonly FollowedTable[],
): Promise<void> {
  await atSameInstant(() => ensurePairRole(client, moving));
  await ensurePublication(client, moving, tables);
}

async function ensurePairRole(client: pg.Client, moving: Moving): Promise<void> {
  const role = pairRole(moving);
  const [r, o, s] = [quoted(role), quoted(moving.owner), quoted(moving.schema)];
  const { rows } = await client.query<{ database: string; there: boolean; superuser: boolean }>(
    `SELECT current_database() AS database, EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS there,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser`,
    [role],
  );
  if (!rows[0]!.there) await client.query(`CREATE ROLE ${r} LOGIN REPLICATION NOINHERIT`);
  await client.query(
    `ALTER ROLE ${r} LOGIN REPLICATION PASSWORD ${text(scramVerifier(moving.pairPassword))}`,
  );
  await letConnect(client, role, rows[0]!.database);
  // Who is no superuser sees and ends sessions of a role only with its rights.
  if (!rows[0]!.superuser)
    await client.query(`GRANT ${r}, ${quoted(moving.runtime)} TO CURRENT_USER WITH INHERIT TRUE`);
  // As the schema's owner, whoever that is (postgres/away.ts): what another granted outlives the end of the role's rights.
  await client.query(`GRANT USAGE ON SCHEMA ${s} TO ${r}; SET LOCAL ROLE ${o};
    GRANT SELECT ON ALL TABLES IN SCHEMA ${s} TO ${r};
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${s} GRANT SELECT ON TABLES TO ${r}`);
}

/** Without TRUNCATE: nobody but the owner may, and what it empties before a copy must not be emptied at the source. */
async function ensurePublication(
  client: pg.Client,
  moving: Moving,
  tables: readonly FollowedTable[],
): Promise<void> {
  const name = publicationOf(moving);
  const { rows } = await client.query<{ there: boolean; published: string[] }>(
    `SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = $1) AS there,
       ARRAY(SELECT tablename::text FROM pg_publication_tables WHERE pubname = $1 AND schemaname = $2 ORDER BY tablename COLLATE "C") AS published`,
    [name, moving.schema],
  );
  const { there, published } = rows[0]!;
  const list = tables.map((one) => tableName(moving, one.name)).join(', ');
  if (!there)
    await client.query(
      `CREATE PUBLICATION ${quoted(name)} FOR TABLE ${list} WITH (publish = 'insert, update, delete')`,
    );
  else if (published.join() !== tables.map((one) => one.name).join())
    await client.query(`ALTER PUBLICATION ${quoted(name)} SET TABLE ${list}`);
}
