// Whom to write to: a projection of users' events, kept so that a mail needs no call to users.
// An address outlives its account by an hour, so that what an order still has to tell arrives; then it is
// deleted. Order holds per user in users' events, so the last event seen is the truth.
import type { Sql, Transaction } from '#banyan';

interface Contact {
  readonly userId: string;
  readonly email: string;
  readonly name: string;
}

export async function remember(tx: Transaction, { userId, email, name }: Contact): Promise<void> {
  await tx.sql.query(
    `INSERT INTO contacts (user_id, email, name) VALUES ($1, $2, $3)
     ON CONFLICT (user_id) DO UPDATE SET email = EXCLUDED.email, name = EXCLUDED.name`,
    [userId, email, name],
  );
}

export async function markGone(tx: Transaction, userId: string): Promise<void> {
  await tx.sql.query('UPDATE contacts SET deleted_at = now() WHERE user_id = $1 AND deleted_at IS NULL', [
    userId,
  ]);
}

export async function forgetGone(sql: Sql): Promise<void> {
  await sql.query(`DELETE FROM contacts WHERE deleted_at < now() - interval '1 hour'`);
}
