// What a planner and an index-only scan know of a store, made anew at the server that it goes to: replication carries rows,
// neither statistics nor which pages are all visible. Without it the first minutes after a move are slow.
import type { Moving, ServerAt } from '../pair/moving.ts';
import { withSession } from '../pair/sessions.ts';
import { followedTables, tableName } from '../pair/tables-of.ts';

/** Before a pause: it takes as long as reading all of it once. */
export async function refresh(
  target: ServerAt,
  moving: Moving,
  onProgress: (tables: { done: number; total: number }) => void = () => {},
): Promise<void> {
  await withSession(target, `statistics ${moving.module}`, async (client) => {
    const tables = await followedTables(client, moving);
    for (const [done, { name }] of tables.entries()) {
      onProgress({ done, total: tables.length });
      await client.query(`VACUUM (ANALYZE) ${tableName(moving, name)}`);
    }
    onProgress({ done: tables.length, total: tables.length });
  });
}
