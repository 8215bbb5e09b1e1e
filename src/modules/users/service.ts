// Accounts and sessions. A session is a signed token; what revokes it is the user's epoch, raised here by a
// new password or by deletion, in the same transaction that tells all hosts.
// It knows nothing of HTTP, nor of who listens to users' events.
import { v7 } from 'uuid';
import type { PrismaClient } from '../../../prisma/users/client/client.ts';
import { kernelProblem, problem } from '../../kernel/contract/problem.ts';
import type { SessionSigner } from '../../kernel/identity/session-token.ts';
import type { Store } from '../../kernel/store/store.ts';
import { type User, users } from './contract.ts';
import { hashPassword, isPassword } from './passwords.ts';
import { EmailTaken, type Row, revoke, type Session, type UserRepository } from './repository.ts';

export interface UserServiceParts {
  readonly store: Store<PrismaClient>;
  readonly repository: UserRepository;
  /** Absent where no signing key is: then nobody can sign in here. */
  readonly signer: SessionSigner;
}

export interface NewAccount {
  readonly email: string;
  readonly name: string;
  readonly password: string;
}

export class UserService {
  readonly #parts: UserServiceParts;

  constructor(parts: UserServiceParts) {
    this.#parts = parts;
  }

  async register({ email, name, password }: NewAccount): Promise<User> {
    const { store, repository } = this.#parts;
    const passwordHash = await hashPassword(password);
    return store.transaction(async (tx) => {
      const account = { id: v7(), email, name, passwordHash, role: 'customer', createdAt: new Date() };
      const row = await repository.insert(tx, account);
      if (!row) throw emailTaken();
      await tx.publish(users.events['user-registered'], factsOf(row));
      return userOf(row);
    });
  }

  /** The same answer, in the same time, for a wrong password and for an address that nobody has. */
  async signIn({ email, password }: { email: string; password: string }) {
    const row = await this.#parts.repository.findByEmail(email);
    const right = await isPassword(row?.passwordHash, password);
    if (!row || !right) throw problem(users, 'bad-credentials');
    const { id, role, epoch } = row;
    return this.#parts.signer.sign({ id, role: role as User['role'], epoch });
  }

  async me(session: Session): Promise<User> {
    const row = await this.#parts.repository.find(session.id);
    if (row?.epoch !== session.epoch) throw signedOut();
    return userOf(row);
  }

  async changeMe(session: Session, changes: Partial<NewAccount>): Promise<User> {
    const { email, name, password } = changes;
    if (Object.values(changes).every((value) => value === undefined)) return this.me(session);
    const passwordHash = password === undefined ? undefined : await hashPassword(password);
    const { store, repository } = this.#parts;
    const work = store.transaction(async (tx) => {
      const row = await repository.change(tx, session, { email, name, passwordHash });
      if (!row) throw signedOut();
      if (email !== undefined || name !== undefined) {
        await tx.publish(users.events['user-changed'], factsOf(row));
      }
      if (passwordHash !== undefined) await revoke(tx.sql, row);
      return userOf(row);
    });
    return work.catch((error) => {
      throw error instanceof EmailTaken ? emailTaken() : error;
    });
  }

  /** Leaves no row: the address is free again, and every session ends. */
  async deleteMe(session: Session): Promise<null> {
    const { store, repository } = this.#parts;
    return store.transaction(async (tx) => {
      if (!(await repository.remove(tx, session))) throw signedOut();
      await revoke(tx.sql, { id: session.id, epoch: session.epoch + 1 });
      await tx.publish(users.events['user-deleted'], { userId: session.id });
      return null;
    });
  }

  async block(id: string, blocked: boolean): Promise<User> {
    const { store, repository } = this.#parts;
    const changed = await store.transaction(async (tx) => {
      const row = await repository.block(tx, id, blocked);
      if (row) await tx.publish(users.events['user-changed'], factsOf(row));
      return row;
    });
    const row = changed ?? (await repository.find(id));
    if (!row) throw problem(users, 'user-unknown');
    return userOf(row);
  }

  async getUser(userId: string) {
    return (await this.#parts.repository.known(userId)) ?? null;
  }
}

function userOf(row: Row): User {
  const { id, email, name, role, blocked, createdAt, lastNotifiedAt, notificationCount } = row;
  return {
    id,
    email,
    name,
    role: role as User['role'],
    blocked,
    createdAt: createdAt.toISOString(),
    lastNotifiedAt: lastNotifiedAt?.toISOString() ?? null,
    notificationCount,
  };
}

/** What users' events tell of a user. */
export function factsOf({ id: userId, email, name, blocked }: Row) {
  return { userId, email, name, blocked };
}

function emailTaken() {
  return problem(users, 'email-taken', {
    errors: [{ path: '/email', message: 'is already registered' }],
  });
}

function signedOut() {
  return kernelProblem('unauthenticated', { detail: 'The session was revoked. Sign in again.' });
}
