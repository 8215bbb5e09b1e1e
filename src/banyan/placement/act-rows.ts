// What somebody did to operators, keys, ladders or the number of processes, for the audit: a row in the transaction of the act
// itself, so that nothing is done that it does not say, and nothing said that was not done.
import type { Sql } from '../store/store.ts';

export interface Act {
  readonly source: 'operator' | 'key' | 'ladder' | 'service';
  readonly module?: string;
  /** Null: a host, by itself. */
  readonly by: string | null;
  /** In the past tense: `revoked the operator ada`. */
  readonly what: string;
  readonly detail?: object;
}

/** @param tx of a change (change.ts), or whatever else the act is done in. */
export async function writeAct(tx: Sql, { source, module, by, what, detail }: Act): Promise<void> {
  await tx.query('INSERT INTO act (source, module, by, what, detail) VALUES ($1, $2, $3, $4, $5)', [
    source,
    module ?? null,
    by,
    what,
    detail === undefined ? null : JSON.stringify(detail),
  ]);
}
