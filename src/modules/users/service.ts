// Accounts and sessions. A session is a signed token; what revokes it is the user's epoch, raised here by a
// new password or by deletion, in the same transaction that tells all hosts.
// It knows nothing of HTTP, nor of who listens to users' events.
import { v7 } from 'uuid';
import {
  type AddressRule,
  type Call,
  kernelProblem,
  type Limits,
  problem,
  type SessionSigner,
  type Store,
} from '#banyan';
import type { PrismaClient } from '../../../prisma/users/client/client.ts';
import { type User, users } from './contract.ts';
import { hashPassword, inTurn, isPassword } from './passwords.ts';
import { EmailTaken, emailKey, type Row, revoke, type Session, type UserRepository } from './repository.ts';
import { whyWeak } from './weak-passwords.ts';

/** More than an office behind one address does; less than a list of passwords is worth. */
const signIns: AddressRule = { name: 'sign-ins', most: 60, seconds: 60 };
const registrations: AddressRule = { name: 'registrations', most: 60, seconds: 3600 };

export interface UserServiceParts {
  readonly store: Store<PrismaClient>;
  readonly repository: UserRepository;
  /** Absent where no signing key is: then nobody can sign in here. */
  readonly signer: SessionSigner;
  readonly limits: Limits;
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

  async register({ email, name, password }: NewAccount, call: Call): Promise<User> {
    const { store, repository, limits } = this.#parts;
    await limits.take(registrations, call.address);
    await mustBeStrong(password, { email, name });
    const passwordHash = await inTurn(call, () => hashPassword(password));
    return store.transaction(async (tx) => {
      const account = { id: v7(), email, name, passwordHash, role: 'customer', createdAt: new Date() };
      const row = await repository.insert(tx, account);
      if (!row) throw emailTaken();
      await tx.publish(users.events['user-registered'], factsOf(row));
      return userOf(row);
    });
  }

  /**
   * The same answer, in the same time, for a wrong password and for an address that nobody has; both are counted as
   * guesses, in the turn of the hash: those who sign in rightly, many at once, do not count one another.
   */
  async signIn({ email, password }: { email: string; password: string }, call: Call) {
    const { repository, signer, limits } = this.#parts;
    await limits.take(signIns, call.address);
    const { id, role, epoch } = await inTurn(call, async () => {
      const guessed = `sign-in ${emailKey(email)}`;
      const [row] = await Promise.all([repository.findByEmail(email), limits.guess(guessed, call.address)]);
      const right = await isPassword(row?.passwordHash, password);
      if (!row || !right) throw problem(users, 'bad-credentials');
      await limits.right(guessed, call.address);
      return row;
    });
    return signer.sign({ id, role: role as User['role'], epoch });
  }

  async me(session: Session): Promise<User> {
    const row = await this.#parts.repository.find(session.id);
    if (row?.epoch !== session.epoch) throw signedOut();
    return userOf(row);
  }

  async changeMe(session: Session, changes: Partial<NewAccount>, call: Call): Promise<User> {
    const { email, name, password } = changes;
    if (Object.values(changes).every((value) => value === undefined)) return this.me(session);
    if (password !== undefined) {
      const now = await this.me(session);
      await mustBeStrong(password, { email: email ?? now.email, name: name ?? now.name });
    }
    const passwordHash =
      password === undefined ? undefined : await inTurn(call, () => hashPassword(password));
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

async function mustBeStrong(password: string, account: { email: string; name: string }): Promise<void> {
  const message = await whyWeak(password, account);
  if (message) throw kernelProblem('invalid', { errors: [{ path: '/password', message }] });
}

function emailTaken() {
  return problem(users, 'email-taken', {
    errors: [{ path: '/email', message: 'is already registered' }],
  });
}

function signedOut() {
  return kernelProblem('unauthenticated', { detail: 'The session was revoked. Sign in again.' });
}
