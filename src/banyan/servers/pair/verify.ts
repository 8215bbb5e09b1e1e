// Whether two servers have the same store: every row of every table, by hash, as both were at one instant. It reads in small
// pieces, one server after the other, and rests after each for as long as it took: whoever works on those servers has most of
// them, the first seconds after a move included. It changes nothing. The marker's own table is left out, which the servers go on writing, and Prisma's, which is each one's own.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { theInstant } from './instant.ts';
import type { Between, Moving } from './moving.ts';
import type { Snapshots } from './snapshots.ts';
import { MARKER_TABLE } from './tables.ts';
import { type FollowedTable, followedTables, tableName } from './tables-of.ts';

/** 4 MB, some tens of milliseconds. */
const PIECE_BLOCKS = 512;

export interface Compared {
  readonly table: string;
  /** At the source. */
  readonly rows: number;
  readonly alike: boolean;
}

export interface Comparing {
  readonly table: string;
  readonly tables: { readonly done: number; readonly total: number };
  readonly rows: number;
}

/** @param what the snapshots of a pause, which it closes; or a pair that stands, whose writers wait for a moment. */
export async function compare(
  what: Snapshots | Between,
  onProgress: (comparing: Comparing) => void = () => {},
): Promise<Compared[]> {
  const snapshots = 'here' in what ? what : await theInstant(what);
  try {
    return await compareAll(snapshots, onProgress);
  } finally {
    snapshots.close();
  }
}

async function compareAll(
  { here, there, moving }: Snapshots,
  onProgress: (comparing: Comparing) => void,
): Promise<Compared[]> {
  const tables = (await followedTables(here, moving)).filter(({ name }) => name !== MARKER_TABLE);
  const compared: Compared[] = [];
  let rows = 0;
  for (const table of tables) {
    const tell = (more: number) => {
      rows += more;
      onProgress({ table: table.name, tables: { done: compared.length, total: tables.length }, rows });
    };
    const one = await sumOf(here, moving, table, tell);
    const other = await sumOf(there, moving, table, () => {});
    const alike = one.rows === other.rows && one.hash === other.hash;
    compared.push({ table: table.name, rows: Number(one.rows), alike });
  }
  onProgress({ table: '', tables: { done: tables.length, total: tables.length }, rows });
  return compared;
}

/** Sums do not mind in which order rows lie, which is another one on each server; nor do columns by name. */
async function sumOf(
  client: pg.Client,
  moving: Moving,
  { name, columns }: FollowedTable,
  onPiece: (rows: number) => void,
): Promise<{ rows: bigint; hash: bigint }> {
  const table = tableName(moving, name);
  const { rows: sizes } = await client.query<{ blocks: number }>(
    `SELECT (pg_relation_size($1::regclass) / current_setting('block_size')::int)::float8 AS blocks`,
    [table],
  );
  // `"a b" text`, `id uuid`: the name is what comes before the type.
  const row = `ROW(${columns.map((one) => `t.${/^("(?:[^"]|"")+"|\S+)/.exec(one)![0]}`).join(', ')})`;
  let [rows, hash] = [0n, 0n];
  for (let block = 0; ; block += PIECE_BLOCKS) {
    const last = block + PIECE_BLOCKS >= sizes[0]!.blocks;
    const begun = performance.now();
    const { rows: found } = await client.query<{ n: string; sum: string }>(
      `SELECT count(*) AS n, coalesce(sum(hashtextextended(${row}::text, 0)), 0) AS sum FROM ${table} t
       WHERE ctid >= '(${block},0)'::tid ${last ? '' : `AND ctid < '(${block + PIECE_BLOCKS},0)'::tid`}`,
    );
    rows += BigInt(found[0]!.n);
    hash += BigInt(found[0]!.sum);
    onPiece(Number(found[0]!.n));
    if (last) return { rows, hash };
    await sleep(performance.now() - begun);
  }
}
