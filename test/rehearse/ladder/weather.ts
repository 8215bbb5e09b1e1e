// In what a shadow finds itself: calm, locks that somebody holds, or no time.
import pg from 'pg';
import type { Random } from '../../chaos/random.ts';
import type { ShadowRoom } from '../../shadow/room.ts';

export type Weather = 'calm' | 'locked' | 'hurried';

export function weatherOf(random: Random): Weather {
  const drawn = random.next();
  return drawn < 0.7 ? 'calm' : drawn < 0.85 ? 'locked' : 'hurried';
}

/** Nobody may write a row of the module's tables, nor lock one, while it is done. */
export async function withLocks<T>(room: ShadowRoom, name: string, work: () => Promise<T>): Promise<T> {
  const { database } = room;
  const [schema] = name.split('.');
  const holder = new pg.Client({ connectionString: room.databaseUrl });
  await holder.connect();
  try {
    const { rows } = await database.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema = $1`,
      [schema],
    );
    await holder.query('BEGIN');
    for (const one of rows) await holder.query(`LOCK TABLE ${one.name} IN EXCLUSIVE MODE`);
    return await work();
  } finally {
    await holder.query('ROLLBACK').catch(() => {});
    await holder.end();
  }
}
