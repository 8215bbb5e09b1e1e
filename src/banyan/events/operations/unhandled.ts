// What of some keys was not handled: the deliveries at which each key stands, those that wait for their next try, and those
// that a person gave up. Guarantee: what does not go on by itself comes first. It must not know what a key is of.
import type { Pool } from 'pg';
import { type DeliveryState, openDeliveryStates } from '../delivery.ts';
import type { HeldKey } from './held.ts';

/** Drops are found by the audit: their rows stand in no index by key. So many of the latest are looked through. */
const DROPS = 1_000;

/** Those first that a person or an upgrade must end. */
const ORDER: readonly DeliveryState[] = ['dead', 'unknown-version', 'early', 'waiting', 'dropped'];

/** What is queued stands behind another; what waits without a reason is on its way. */
export async function unhandledOf(pool: Pool, module: string, keys: readonly string[]): Promise<HeldKey[]> {
  const open = openDeliveryStates.map((state) => `'${state}'`).join(', ');
  const { rows } = await pool.query<Omit<HeldKey, 'since'> & { since: Date }>(
    `SELECT id, topic, key, type, state, reason, settled_at AS since,
       CASE WHEN state IN ('waiting', 'early') OR ${module}.event_is_held(state, holds) THEN (
         SELECT count(*)::int FROM ${module}.event_delivery q
         WHERE q.topic = d.topic AND q.key = d.key AND q.id <> d.id AND q.state IN ('queued', 'early')
       ) ELSE 0 END AS behind
     FROM ${module}.event_delivery d
     WHERE state IN (${open}) AND state <> 'queued' AND (state <> 'waiting' OR reason IS NOT NULL) AND key = ANY ($1)
     UNION ALL
     SELECT id, topic, key, type, state, reason, settled_at, 0
     FROM ${module}.event_delivery WHERE state = 'dropped' AND key = ANY ($1) AND id = ANY (ARRAY(
       SELECT event_id FROM ${module}.event_audit WHERE action = 'drop' ORDER BY at DESC LIMIT ${DROPS}))`,
    [keys],
  );
  return rows.map((row) => ({ ...row, module, since: row.since.toISOString() }));
}

/** Of several modules as one list. */
export function worstFirst(found: readonly HeldKey[]): HeldKey[] {
  const place = ({ state }: HeldKey) => ORDER.indexOf(state);
  return found.toSorted((a, b) => place(a) - place(b) || (a.since < b.since ? -1 : 1));
}
