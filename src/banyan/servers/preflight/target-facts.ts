// What must be true of the server that a store goes to: room, what the store's tables are made of, and that nobody uses a schema
// of that name there, which the copy would empty.

import { isMarked } from '../../postgres/away.ts';
import { isFenced } from '../pair/fence.ts';
import type { Moving } from '../pair/moving.ts';
import type { End } from '../pair/subscription.ts';
import { MARKER_TABLE } from '../pair/tables.ts';
import { followedTables, tableName } from '../pair/tables-of.ts';
import type { Finding } from './finding.ts';

/** A copy and its indexes, what is written meanwhile, and the log of both. */
const ROOM = 2;
/** Provisioning writes rows into these. */
const provisioned = ['event_lease', 'saga_style', MARKER_TABLE];

export async function targetFindings({ server, client }: End, moving: Moving): Promise<Finding[]> {
  const { rows } = await client.query<{ owner: string; user: string; may: boolean; comment: string | null }>(
    `SELECT r.rolname AS owner, current_user AS user, pg_has_role(s.nspowner, 'USAGE') AS may, obj_description(s.oid, 'pg_namespace') AS comment FROM pg_namespace s JOIN pg_roles r ON r.oid = s.nspowner WHERE s.nspname = $1`,
    [moving.schema],
  );
  if (!rows[0]) return [];
  if (rows[0].owner !== moving.owner && !isMarked(rows[0].comment))
    return [
      {
        code: 'schema-taken',
        detail: `${server.name} has a schema ${moving.schema} that is not ours (it belongs to ${rows[0].owner})`,
        remedy: 'Use another database on that server',
      },
    ];
  if (!rows[0].may)
    return [
      {
        code: 'may-not-manage',
        detail: `on ${server.name} ${rows[0].user} may not manage the tables of ${moving.module}, which somebody else made`,
        remedy: `As a superuser run there: GRANT "${moving.owner}", "${moving.runtime}" TO "${rows[0].user}" WITH ADMIN OPTION`,
      },
    ];
  // What is fenced is a copy of ours: of a pair, or of a move that was given up.
  if (await isFenced(client, moving)) return [];
  const used: string[] = [];
  for (const { name } of await followedTables(client, moving)) {
    if (provisioned.includes(name)) continue;
    const { rowCount } = await client.query(`SELECT FROM ${tableName(moving, name)} LIMIT 1`);
    if (rowCount! > 0) used.push(name);
  }
  if (used.length === 0) return [];
  return [
    {
      code: 'target-in-use',
      detail: `${server.name} has a store of ${moving.module} already, with rows, that its role may write: ${used.join(', ')}`,
      remedy: `If nobody needs it: DROP SCHEMA "${moving.schema}" CASCADE there. Else use another database`,
    },
  ];
}

export async function extensionFindings(from: End, to: End, moving: Moving): Promise<Finding[]> {
  const { rows: needed } = await from.client.query<{ name: string }>(
    `SELECT DISTINCT e.extname AS name FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
     JOIN pg_namespace s ON s.oid = c.relnamespace AND s.nspname = $1
     JOIN pg_depend m ON m.classid = d.refclassid AND m.objid = d.refobjid AND m.deptype = 'e'
     JOIN pg_extension e ON e.oid = m.refobjid`,
    [moving.schema],
  );
  const { rows: there } = await to.client.query<{ name: string }>('SELECT extname AS name FROM pg_extension');
  const missing = needed.filter(({ name }) => !there.some((one) => one.name === name));
  return missing.map(({ name }) => ({
    code: 'extension-missing',
    detail: `${moving.module} needs the extension ${name}, which ${to.server.name} has not got`,
    remedy: `Run there: CREATE EXTENSION "${name}"`,
  }));
}

export async function roomFindings(
  from: End,
  to: End,
  moving: Moving,
  freeBytes: number | undefined,
): Promise<Finding[]> {
  if (freeBytes === undefined) return [];
  const { rows } = await from.client.query<{ bytes: number }>(
    `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 AS bytes FROM pg_class c
     JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = $1 AND c.relkind IN ('r', 'S')`,
    [moving.schema],
  );
  const { rows: at } = await to.client.query<{ bytes: number }>(
    `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 AS bytes FROM pg_class c
     JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = $1 AND c.relkind IN ('r', 'S')`,
    [moving.schema],
  );
  // What is there already is room that it does not need again.
  const needed = Math.max(0, rows[0]!.bytes * ROOM - at[0]!.bytes);
  if (freeBytes >= needed) return [];
  return [
    {
      code: 'no-room',
      detail: `${moving.module} needs about ${inWords(needed)} on ${to.server.name}, and ${inWords(freeBytes)} are free`,
      remedy: 'Make room on that disk, or use another server',
    },
  ];
}

function inWords(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MB`;
}
