// Events of the log that their owner's store lacks are written into its ledger: so each is told of once, its number is drawn by no
// later event of its key, and verification counts it as sent. What became of it stands in the audit. One transaction.
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { audit } from '../operations/audit.ts';
import type { LogPosition } from './report.ts';

const WHY = 'in the log, and not in the store of its owner, which was restored or lost commits';

/** @param effects by id the consumers where the event took effect before. */
export async function adopt(
  owner: ModuleEvents,
  events: readonly LogPosition[],
  effects: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const schema = nameOf(owner);
  const columns = [
    events.map(({ id }) => id),
    events.map(({ key }) => key),
    events.map(({ sequence }) => sequence),
    events.map(({ at }) => at.toISOString()),
  ];
  await owner.store.alone(async ({ sql }) => {
    // As of when they were sent: verification counts a key that changed later among those whose last event it looks for.
    await sql.query(
      `INSERT INTO ${schema}.event_key AS k (key, sequence, updated_at)
       SELECT e.key, max(e.sequence), max(e.at) FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS e (key, sequence, at)
       GROUP BY e.key ORDER BY e.key
       ON CONFLICT (key) DO UPDATE SET
         sequence = greatest(k.sequence, excluded.sequence), updated_at = greatest(k.updated_at, excluded.updated_at)`,
      columns.slice(1),
    );
    await sql.query(
      `INSERT INTO ${schema}.event_sent (id, key, sequence, sent_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[]) ON CONFLICT DO NOTHING`,
      columns,
    );
    await audit(
      sql,
      schema,
      events.map(({ id, partition, offset }) => ({
        action: 'drop',
        by: 'a start after a restore',
        eventId: id,
        why: WHY,
        detail: { partition, offset, tookEffectAt: effects.get(id) ?? [] },
      })),
    );
  });
}
