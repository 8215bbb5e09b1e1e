// Sessions as their user sees and ends them. It ends with the transaction that says so, and every host refuses its
// token within a second, whatever becomes of this one.
// Sessions opened before they had names are in no list; they end themselves, or with a new password.
import { type Call, problem, type SecurityLog, type SessionAuthority, type Store } from '#banyan';
import type { PrismaClient } from '../../../prisma/users/client/client.ts';
import { whoAsks } from './changing.ts';
import { users } from './contract.ts';
import { type Session, signedOut, type UserTransaction } from './repository.ts';

/** Ended ones of one account that have not run out. One that has more ends all of its sessions at once. */
const MOST_ENDED = 100;

export interface OpenedSession {
  readonly id: string;
  readonly userId: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  readonly address: string | undefined;
}

export class Sessions {
  readonly #store: Store<PrismaClient>;
  readonly #authority: SessionAuthority;
  readonly #security: SecurityLog;

  constructor(store: Store<PrismaClient>, authority: SessionAuthority, security: SecurityLog) {
    this.#store = store;
    this.#authority = authority;
    this.#security = security;
  }

  async noteOpened({ id, userId, expiresAt, address }: OpenedSession): Promise<void> {
    await this.#store.sql.query(
      `INSERT INTO sessions (id, user_id, opened_at, expires_at, address)
       SELECT $1, id, now(), $3, $4 FROM users WHERE id = $2`,
      [id, userId, expiresAt, address ?? null],
    );
  }

  async list({ id: userId, session }: Session) {
    const rows = await this.#store.prisma.session.findMany({
      where: { userId, endedAt: null, expiresAt: { gt: new Date() } },
      orderBy: [{ openedAt: 'desc' }, { id: 'asc' }],
      take: 100,
    });
    return {
      items: rows.map(({ id, openedAt, expiresAt, address: from }) => ({
        id,
        openedAt: openedAt.toISOString(),
        expiresAt: expiresAt.toISOString(),
        current: id === session,
        from,
      })),
    };
  }

  /** The one that asks; it need not have a row. */
  endThis(user: Session, call: Call): Promise<null> {
    return this.#end(user, call, async ({ sql }) => {
      const { rows } = await sql.query<{ id: string }>(
        `INSERT INTO sessions AS s (id, user_id, opened_at, expires_at, ended_at)
         VALUES ($1, $2, now(), now() + interval '12 hours', now())
         ON CONFLICT (id) DO UPDATE SET ended_at = now() WHERE s.user_id = $2 RETURNING id`,
        [user.session, user.id],
      );
      return rows.map(({ id }) => id);
    });
  }

  endOne(user: Session, id: string, call: Call): Promise<null> {
    return this.#end(user, call, async ({ sql }) => {
      const { rowCount } = await sql.query(
        `UPDATE sessions SET ended_at = now()
         WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > now()`,
        [id, user.id],
      );
      if (rowCount === 0) throw problem(users, 'session-unknown');
      return [id];
    });
  }

  endOthers(user: Session, call: Call): Promise<null> {
    return this.#end(user, call, async ({ sql }) => {
      const { rows } = await sql.query<{ id: string }>(
        `UPDATE sessions SET ended_at = now()
         WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL AND expires_at > now() RETURNING id`,
        [user.id, user.session],
      );
      return rows.map(({ id }) => id);
    });
  }

  /** Those that ran out. */
  async forget(): Promise<void> {
    await this.#store.sql.query('DELETE FROM sessions WHERE expires_at < now()');
  }

  async #end(user: Session, call: Call, which: (tx: UserTransaction) => Promise<string[]>): Promise<null> {
    const names = await this.#store.transaction(async (tx) => {
      if (!(await isGood(tx, user))) throw signedOut();
      const names = await which(tx);
      if (names.length === 0) return names;
      const { rows } = await tx.sql.query<{ ended: number }>(
        'SELECT count(*)::int AS ended FROM sessions WHERE user_id = $1 AND ended_at IS NOT NULL AND expires_at > now()',
        [user.id],
      );
      if (rows[0]!.ended > MOST_ENDED) await this.#endAll(tx, user);
      else this.#authority.end(tx, names);
      return names;
    });
    for (const name of names)
      this.#security.write({
        event: 'session.end',
        outcome: 'ok',
        target: `session ${name}`,
        ...whoAsks(user.id, call),
      });
    return null;
  }

  /** By the epoch: one line for every host to remember, in place of one for each session. */
  async #endAll(tx: UserTransaction, { id, epoch }: Session): Promise<void> {
    await tx.sql.query('UPDATE users SET epoch = $2 WHERE id = $1', [id, epoch + 1]);
    await tx.sql.query('DELETE FROM sessions WHERE user_id = $1', [id]);
    this.#authority.endAll(tx, { id, epoch: epoch + 1 });
  }
}

/** Locks the account: what ends sessions comes one after the other. */
async function isGood({ sql }: UserTransaction, { id, epoch, session }: Session): Promise<boolean> {
  const { rowCount } = await sql.query(
    `SELECT FROM users WHERE id = $1 AND epoch = $2
       AND NOT EXISTS (SELECT FROM sessions WHERE id = $3 AND ended_at IS NOT NULL)
     FOR NO KEY UPDATE`,
    [id, epoch, session],
  );
  return rowCount > 0;
}
