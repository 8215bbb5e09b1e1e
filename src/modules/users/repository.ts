// The rows of users. Every change names the epoch that its session was opened under, so a session that was
// revoked a moment ago changes nothing, whatever a gateway believed.
import { libraryProblem, type Sql, type Store, type Transaction, type TransactionClient } from '#banyan';
import type { PrismaClient, User as Row } from '../../../prisma/users/client/client.ts';

export type UserTransaction = Transaction<TransactionClient<PrismaClient>>;
export type { Row };

/** Whom a session speaks for. */
export interface Session {
  readonly id: string;
  readonly epoch: number;
  /** Its name. */
  readonly session: string;
}

export interface Changes {
  readonly email?: string;
  /** An address that another account has: shown to its user, and the address stays. */
  readonly wantedEmail?: string;
  readonly name?: string;
  readonly passwordHash?: string;
}

export type NewUser = Pick<Row, 'id' | 'email' | 'name' | 'passwordHash' | 'role' | 'createdAt'>;

/** How addresses are compared: case means nothing in them. The contract takes ASCII alone. */
export const emailKey = (email: string): string => email.toLowerCase();

export class UserRepository {
  readonly #store: Store<PrismaClient>;

  constructor(store: Store<PrismaClient>) {
    this.#store = store;
  }

  find(id: string): Promise<Row | null> {
    return this.#store.prisma.user.findUnique({ where: { id } });
  }

  /** What other modules may know. Asked with every order, so it is SQL. */
  async known(id: string): Promise<Pick<Row, 'id' | 'email' | 'name' | 'blocked'> | undefined> {
    const { rows } = await this.#store.sql.query<Pick<Row, 'id' | 'email' | 'name' | 'blocked'>>(
      'SELECT id, email, name, blocked FROM users WHERE id = $1',
      [id],
    );
    return rows[0];
  }

  findByEmail(email: string): Promise<Row | null> {
    return this.#store.prisma.user.findUnique({ where: { emailKey: emailKey(email) } });
  }

  async isEmpty(tx: UserTransaction): Promise<boolean> {
    return (await tx.prisma.user.findFirst({ select: { id: true } })) === null;
  }

  /** Undefined when the address is taken; the unique index decides between two at once. */
  async insert(tx: UserTransaction, user: NewUser): Promise<Row | undefined> {
    const [row] = await tx.prisma.user.createManyAndReturn({
      data: [{ ...user, emailKey: emailKey(user.email) }],
      skipDuplicates: true,
    });
    return row;
  }

  /** Undefined when the session is no longer good. A new password raises the epoch. Throws EmailTaken. */
  async change(tx: UserTransaction, session: Session, changes: Changes): Promise<Row | undefined> {
    const { id, epoch } = session;
    const { email, wantedEmail, name, passwordHash } = changes;
    const data = {
      ...(email === undefined ? {} : { email, emailKey: emailKey(email), wantedEmail: null }),
      ...(wantedEmail === undefined ? {} : { wantedEmail }),
      ...(name === undefined ? {} : { name }),
      ...(passwordHash === undefined ? {} : { passwordHash, epoch: epoch + 1 }),
    };
    try {
      const [row] = await tx.prisma.user.updateManyAndReturn({ where: goodUnder(session), data });
      if (row && passwordHash !== undefined) await tx.prisma.session.deleteMany({ where: { userId: id } });
      return row;
    } catch (error) {
      if ((error as { code?: string }).code === 'P2002') throw new EmailTaken();
      throw error;
    }
  }

  /** Undefined when nothing had to change. */
  async block(tx: UserTransaction, id: string, blocked: boolean): Promise<Row | undefined> {
    const [row] = await tx.prisma.user.updateManyAndReturn({
      where: { id, blocked: !blocked },
      data: { blocked },
    });
    return row;
  }

  async remove(tx: UserTransaction, session: Session): Promise<boolean> {
    const { count } = await tx.prisma.user.deleteMany({ where: goodUnder(session) });
    return count > 0;
  }
}

/** The user, as long as that session is neither revoked nor ended. */
function goodUnder({ id, epoch, session }: Session) {
  return { id, epoch, sessions: { none: { id: session, endedAt: { not: null } } } };
}

export function signedOut() {
  return libraryProblem('unauthenticated', { detail: 'The session was revoked. Sign in again.' });
}

/** Mails arrive in any order; the latest counts, and each counts once. */
export async function noteMail(sql: Sql, userId: string, at: string): Promise<void> {
  await sql.query(
    `UPDATE users
     SET last_notified_at = greatest(last_notified_at, $2::timestamptz), notification_count = notification_count + 1
     WHERE id = $1`,
    [userId, at],
  );
}

export class EmailTaken extends Error {
  constructor() {
    super('another user has this address');
    this.name = 'EmailTaken';
  }
}
