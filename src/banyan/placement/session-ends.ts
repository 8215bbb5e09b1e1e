// How sessions end: a module says so in its own transaction, by a row in its own schema (session-end.sql), since that
// schema may be on another server than control; a monolith carries the row over, and then every host refuses them.
// Guarantees: what committed is carried, whoever is killed (the row stays until control has it on its disk); carried
// twice, by two or in another order it comes to the same, and an epoch never falls.
// It must not know which module that is, nor who carries (host/session-carrier.ts).
import { readSql } from '../postgres/sql-file.ts';
import { atCommit } from '../store/asked.ts';
import type { Sql, Transaction } from '../store/store.ts';

/** The channel of LISTEN/NOTIFY in the module's database. A hint only. */
export const SESSION_END_CHANNEL = 'banyan_session_end';

export interface SessionEnds {
  /** With this commit all sessions of the user end that were opened under an earlier epoch. Refused everywhere within a second. */
  endAll(tx: Transaction, user: { readonly id: string; readonly epoch: number }): void;
  /** The same of sessions by their names, 1,000 at most. */
  end(tx: Transaction, names: readonly string[]): void;
}

/** One row, or rather: what it says. */
export interface SessionEnd {
  readonly id: string;
  /** With `epoch`, or `session` alone. */
  readonly userId: string | null;
  readonly epoch: number | null;
  readonly session: string | null;
}

/** To be run with the module's schema as the search path. */
export function sessionEndTables(): string {
  return readSql(import.meta.url, 'session-end.sql');
}

/** @param ended is called after each commit that ended some. */
export function createSessionEnds(ended: () => void = () => {}): SessionEnds {
  const write = (tx: Transaction, ...values: readonly unknown[]) => {
    atCommit(tx, 'SELECT end_sessions($1::uuid, $2::int, $3::text[])', values);
    tx.afterCommit(ended);
  };
  return {
    endAll: (tx, { id, epoch }) => write(tx, id, epoch, null),
    end(tx, names) {
      if (names.length > 0) write(tx, null, null, names);
    },
  };
}

/** On the disk when it answers: the row that said so goes then. Of control as of `sql`: its role, its search path. */
const DURABLY = `SELECT set_config('synchronous_commit', 'on', true)`;

/** Rejects with SQLSTATE 54000 (`isFlood`) where control has no room. */
export async function revokeUsers(sql: Sql, ends: readonly SessionEnd[]): Promise<void> {
  const [ids, epochs] = [ends.map((one) => one.userId), ends.map((one) => one.epoch)];
  await sql.query(`${DURABLY}, banyan_control.revoke_users($1::uuid[], $2::int[])`, [ids, epochs]);
}

/** The same of sessions by name. Whenever they were opened, they have run out by themselves in twelve hours. */
export async function revokeSessions(sql: Sql, ends: readonly SessionEnd[]): Promise<void> {
  const names = ends.map((one) => one.session);
  await sql.query(`${DURABLY}, banyan_control.revoke_sessions($1::text[], now() + interval '12 hours')`, [
    names,
  ]);
}

export function isFlood(error: unknown): boolean {
  return (error as { code?: string }).code === '54000';
}
