// Notices as rows: written in the transaction that moves a ladder, so that what happened is told even if its host is killed
// with the commit. Guarantees: they are handed out one after the other in the order of the moves, to one host at a time,
// and again when that one says nothing; what is older than a day, or more than a hundred, is given up.
// It sends nothing (notices.ts).
import { randomUUID } from 'node:crypto';
import type { Sql } from '../../store/store.ts';

export interface Notice {
  /** One sentence: what chats show of it. */
  readonly text: string;
  readonly [field: string]: unknown;
}

export interface WaitingNotice {
  readonly id: string;
  readonly notice: Notice;
  /** This one included. */
  readonly tries: number;
}

export interface NoticeRows {
  /** The oldest, where nobody has it in hand and its wait is over. Whoever takes it has seven seconds to say what came of it. */
  take(): Promise<WaitingNotice | undefined>;
  /** It was sent, or is given up. */
  remove(id: string): Promise<void>;
  postpone(id: string, ms: number): Promise<void>;
  /** Removes what waits in vain; answers what it said. */
  prune(): Promise<string[]>;
}

export const MOST_NOTICES = 100;
const LEASE = `interval '7 s'`;
const MOST_AGE = `interval '1 day'`;

/** @param tx the transaction that makes it true. */
export async function leaveNotice(tx: Sql, notice: Notice): Promise<void> {
  const id = randomUUID();
  await tx.query('INSERT INTO ladder_notice (id, notice) VALUES ($1, $2)', [
    id,
    JSON.stringify({ id, ...notice }),
  ]);
}

export function createNoticeRows(sql: Sql): NoticeRows {
  return {
    async take() {
      const { rows } = await sql.query<WaitingNotice>(
        `UPDATE ladder_notice SET tries = tries + 1, due = now() + ${LEASE}
         WHERE id = (SELECT id FROM ladder_notice ORDER BY position LIMIT 1) AND due <= now()
         RETURNING id, notice, tries`,
      );
      return rows[0];
    },

    async remove(id) {
      await sql.query('DELETE FROM ladder_notice WHERE id = $1', [id]);
    },

    async postpone(id, ms) {
      await sql.query(
        `UPDATE ladder_notice SET due = now() + $2::int * interval '1 millisecond' WHERE id = $1`,
        [id, ms],
      );
    },

    async prune() {
      const { rows } = await sql.query<{ text: string }>(
        `DELETE FROM ladder_notice WHERE at < now() - ${MOST_AGE}
           OR position <= (SELECT position FROM ladder_notice ORDER BY position DESC OFFSET ${MOST_NOTICES} LIMIT 1)
         RETURNING notice ->> 'text' AS text`,
      );
      return rows.map(({ text }) => text);
    },
  };
}

/** Notices that somebody has tried to send in vain, and will again. */
export interface LateNotices {
  readonly count: number;
  readonly oldestSeconds: number;
}

export async function lateNotices(sql: Sql): Promise<LateNotices> {
  const { rows } = await sql.query<{ count: number; oldestSeconds: number }>(
    `SELECT count(*)::int AS count, coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 AS "oldestSeconds"
     FROM ladder_notice WHERE tries > 1`,
  );
  return rows[0]!;
}
