// What came of it, from the sets alone: what was committed, and what took effect in which order. It knows
// nothing of outbox, log or inbox, and believes none of them.
import type { Ground } from './ground.ts';

export interface Verdict {
  /** Committed and without an effect, or a business change without its event. */
  readonly lost: number;
  /** Effects beyond the first of an event, and effects of what nobody committed. */
  readonly doubled: number;
  /** Effects that came after a later one of their key. */
  readonly inverted: number;
}

export interface Effect {
  readonly id: string;
  readonly key: string;
  readonly n: number;
}

/** `effects` in the order in which they were made. */
export function judge(committed: ReadonlySet<string>, effects: readonly Effect[]): Verdict {
  const seen = new Set<string>();
  const last = new Map<string, number>();
  let doubled = 0;
  let inverted = 0;
  for (const { id, key, n } of effects) {
    if (seen.has(id) || !committed.has(id)) doubled += 1;
    else if (n <= (last.get(key) ?? 0)) inverted += 1;
    seen.add(id);
    last.set(key, Math.max(n, last.get(key) ?? 0));
  }
  const lost = [...committed].filter((id) => !seen.has(id)).length;
  return { lost, doubled, inverted };
}

/** Both hops: sales at the till, and the till's payments back at the shop. */
export async function check(ground: Pick<Ground, 'at'>): Promise<Verdict> {
  const at = (table: string) => ground.at(table.split('.')[0] as 'shop' | 'till');
  const effectsIn = async (table: string) =>
    (
      await at(table).query<{ id: string; key: string; n: string }>(
        `SELECT id, key, n FROM ${table} ORDER BY position`,
      )
    ).rows.map((row) => ({ ...row, n: Number(row.n) }));
  const idsIn = async (table: string) =>
    new Set((await at(table).query<{ id: string }>(`SELECT id FROM ${table}`)).rows.map((row) => row.id));
  const { rows } = await ground.at('shop').query<{ eventless: number }>(
    `SELECT count(*)::int AS eventless FROM shop.sale s
     FULL JOIN shop.committed c ON c.key = s.key AND c.sequence = s.n WHERE c.id IS NULL OR s.key IS NULL`,
  );
  const there = judge(await idsIn('shop.committed'), await effectsIn('till.effect'));
  const back = judge(await idsIn('till.committed'), await effectsIn('shop.receipt'));
  return {
    lost: there.lost + back.lost + rows[0]!.eventless,
    doubled: there.doubled + back.doubled,
    inverted: there.inverted + back.inverted,
  };
}
