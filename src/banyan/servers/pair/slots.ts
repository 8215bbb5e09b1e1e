// Replication slots at the server that is followed: each keeps the log that its follower has not got, so one that nobody
// follows any more must go. Guarantee: only slots by our names in this database are touched.
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';

const LOOK_MS = 50;
const IN_USE = '55006';
const GONE = '42704';

export async function createSlot(client: pg.Client, name: string): Promise<void> {
  await client.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [name]);
}

/** Also where somebody reads from it: who does is ended first. */
export async function dropSlot(client: pg.Client, name: string, withinMs = 15_000): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    const { rows } = await client.query<{ pid: number | null }>(
      'SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()',
      [name],
    );
    if (!rows[0]) return;
    try {
      if (rows[0].pid !== null) await client.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
      await client.query('SELECT pg_drop_replication_slot($1)', [name]);
      return;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === GONE) return;
      if (code !== IN_USE || performance.now() > end) throw error;
    }
    await pause(LOOK_MS);
  }
}

/** Those by which a subscription that is gone copied its tables. @param followed the session at the server it followed. */
export async function dropCopySlots(followed: pg.Client, follower: pg.Client): Promise<void> {
  const { rows } = await follower.query<{ system: string; living: string[] }>(
    `SELECT system_identifier::text AS system, ARRAY(SELECT oid::text FROM pg_subscription) AS living FROM pg_control_system()`,
  );
  const { system, living } = rows[0]!;
  const { rows: slots } = await followed.query<{ name: string; of: string }>(
    `SELECT slot_name AS name, split_part(slot_name, '_', 2) AS of FROM pg_replication_slots
     WHERE database = current_database() AND NOT temporary AND slot_name ~ ('^pg_[0-9]+_sync_[0-9]+_' || $1 || '$')`,
    [system],
  );
  for (const { name } of slots.filter(({ of }) => !living.includes(of))) await dropSlot(followed, name);
}
