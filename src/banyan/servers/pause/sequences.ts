// The counters of a store, which replication does not carry: identity columns and any other sequence of the schema. They are
// set past what either server has given out, with room at the one that takes over. Repeatable, and then it changes nothing.
import type pg from 'pg';
import type { Moving } from '../pair/moving.ts';

const ROOM = 1_000n;

interface Counter {
  readonly name: string;
  readonly last: string | null;
}

/** Of the target: its next numbers are free on both servers. */
export async function advanceSequences(source: pg.Client, target: pg.Client, moving: Moving): Promise<void> {
  const [here, there] = await Promise.all([readSequences(source, moving), readSequences(target, moving)]);
  const at = new Map(there.map(({ name, last }) => [name, BigInt(last ?? 0)]));
  const wanted = here.map(({ name, last }) => {
    const [past, own] = [BigInt(last ?? 0) + ROOM, at.get(name) ?? 0n];
    return { name, value: own > past ? own : past };
  });
  if (wanted.length === 0) return;
  await target.query(
    `SELECT setval(format('%I.%I', $1::text, name)::regclass, value) FROM unnest($2::text[], $3::bigint[]) AS s (name, value)`,
    [moving.schema, wanted.map(({ name }) => name), wanted.map(({ value }) => String(value))],
  );
}

async function readSequences(client: pg.Client, { schema }: Moving): Promise<Counter[]> {
  const { rows } = await client.query<Counter>(
    `SELECT sequencename AS name, last_value::text AS last FROM pg_sequences WHERE schemaname = $1 ORDER BY sequencename`,
    [schema],
  );
  return rows;
}

/** Where the other server cannot be asked any more: past every number that is in a row, with room for what is missing. */
export async function passSequences(client: pg.Client, { schema }: Moving): Promise<void> {
  const { rows } = await client.query<{ sequence: string; last: string; column: string; table: string }>(
    `SELECT s.oid::regclass::text AS sequence, coalesce(pg_sequence_last_value(s.oid), 0)::text AS last,
       quote_ident(a.attname) AS "column", t.oid::regclass::text AS "table"
     FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
     JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
     WHERE s.relkind = 'S' AND s.relnamespace = quote_ident($1)::regnamespace`,
    [schema],
  );
  for (const { sequence, last, column, table } of rows)
    await client.query(
      `SELECT setval($1::regclass, greatest($2::bigint, (SELECT coalesce(max(${column}), 0) FROM ${table})) + $3::bigint)`,
      [sequence, last, String(100n * ROOM)],
    );
}
