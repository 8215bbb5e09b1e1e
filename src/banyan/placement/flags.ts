// The flag itself: one row per module, and a row of history per change. Guarantees, decided in the transaction that
// writes it: a service gets requests only while a healthy instance is registered, and no live host is left with a word
// that it does not know.

import type { Placement } from '../routing/snapshot.ts';
import type { Sql } from '../store/store.ts';
import type { Change } from './change.ts';
import { createHistory, type History, type Who, writeHistory } from './history.ts';
import { LIVE_MS, SILENT_SQL } from './schema.ts';
import type { PlacementRow } from './tables.ts';
import { isSame, needsService, type Placed, placedBy, placedIn, type Wish, wordFor } from './wish.ts';
import { ALWAYS_KNOWN } from './words.ts';

export type PlaceOutcome = 'changed' | 'same' | 'unknown-module' | 'no-healthy-instance' | 'host-too-old';

export interface PlaceAnswer {
  readonly outcome: PlaceOutcome;
  /** The one that hosts have to apply for the flag to hold everywhere. */
  readonly version: number;
  /** The ids of those that do not know the word. */
  readonly tooOld: readonly string[];
}

export interface Flags extends History {
  /** Stores a placement for every module that has none: `initial`'s, else in-process. */
  seed(modules: readonly string[], initial: Readonly<Record<string, Wish>>): Promise<void>;
  /** Changes the flag. The wish is one that `placedBy` takes. */
  place(
    module: string,
    wish: Wish,
    who: Who,
    /** Done in the same transaction, where the flag is as was wished. */
    beside?: (tx: Sql) => Promise<void>,
  ): Promise<PlaceAnswer>;
}

/** SQL: a healthy instance of the module in parameter `$n` exists. The same rule as picture.ts/isHealthy. */
export const healthyInstance = (n: number) => `
  role = 'service' AND $${n} = ANY (modules) AND live AND ready AND NOT draining AND NOT retiring
  AND heartbeat_at > now() - interval '${LIVE_MS} ms'`;

export function createFlags(sql: Sql, change: Change): Flags {
  return {
    ...createHistory(sql),

    seed: async (modules, initial) => {
      const { rows } = await sql.query<{ module: string }>('SELECT module FROM placement');
      const stored = new Set(rows.map(({ module }) => module));
      const missing = modules.filter((module) => !stored.has(module));
      if (missing.length === 0) return;
      await change(async (tx, version) => {
        let added = false;
        for (const module of missing) {
          const by = initial[module] ? 'PLACEMENTS' : 'default';
          const placed = orThrow(initial[module] ?? { placement: 'in-process' });
          added = (await insert(tx, version, module, placed, by)) || added;
        }
        return added;
      });
    },

    place: async (module, wish, who, beside) => {
      let answer: Omit<PlaceAnswer, 'version'> = { outcome: 'same', tooOld: [] };
      const version = await change(async (tx, next) => {
        answer = await placeIn(tx, next, module, wish, who);
        if (answer.outcome === 'changed' || answer.outcome === 'same') await beside?.(tx);
        return answer.outcome === 'changed';
      });
      return { ...answer, version };
    },
  };
}

/** The same within a change: whoever opened it says that something has changed. */
export async function placeIn(
  tx: Sql,
  version: number,
  module: string,
  wish: Wish,
  who: Who,
): Promise<Omit<PlaceAnswer, 'version'>> {
  const to = orThrow(wish);
  const { rows } = await tx.query<PlacementRow>(
    'SELECT placement, percent, mirror FROM placement WHERE module = $1',
    [module],
  );
  const from = rows[0];
  if (from === undefined) return { outcome: 'unknown-module', tooOld: [] };
  const tooOld = needsService(to) ? await ignorantOf(tx, wordFor(to)) : [];
  if (tooOld.length > 0) return { outcome: 'host-too-old', tooOld };
  if (needsService(to) && !(await hasHealthyInstance(tx, module)))
    return { outcome: 'no-healthy-instance', tooOld };
  if (isSame(placedIn(from), to)) return { outcome: 'same', tooOld };
  await update(tx, module, to, who.by);
  await writeHistory(tx, version, module, from.placement, to, who);
  return { outcome: 'changed', tooOld };
}

const mirrorText = ({ mirror }: Placed) => (mirror ? JSON.stringify(mirror) : null);

function orThrow(wish: Wish): Placed {
  const placed = placedBy(wish);
  if (typeof placed === 'string') throw new Error(placed);
  return placed;
}

/** The ids of the live hosts that do not know the word. */
async function ignorantOf(tx: Sql, word: Placement): Promise<string[]> {
  if (ALWAYS_KNOWN.includes(word)) return [];
  const { rows } = await tx.query<{ id: string }>(
    `SELECT id FROM host WHERE live AND NOT (${SILENT_SQL}) AND $1 <> ALL (speaks) ORDER BY id`,
    [word],
  );
  return rows.map(({ id }) => id);
}

async function hasHealthyInstance(tx: Sql, module: string): Promise<boolean> {
  const { rowCount } = await tx.query(`SELECT FROM host WHERE ${healthyInstance(1)} LIMIT 1`, [module]);
  return rowCount > 0;
}

async function insert(tx: Sql, version: number, module: string, to: Placed, by: string) {
  const { rowCount } = await tx.query(
    `INSERT INTO placement (module, placement, percent, changed_by, mirror) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING`,
    [module, to.placement, to.percent, by, mirrorText(to)],
  );
  if (rowCount > 0) await writeHistory(tx, version, module, null, to, { actor: 'operator', by });
  return rowCount > 0;
}

async function update(tx: Sql, module: string, to: Placed, by: string) {
  await tx.query(
    `UPDATE placement SET placement = $2, percent = $3, changed_by = $4, mirror = $5, changed_at = clock_timestamp()
     WHERE module = $1`,
    [module, to.placement, to.percent, by, mirrorText(to)],
  );
}
