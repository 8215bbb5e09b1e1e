// Accounts and signing in. A session is a signed token; what revokes all of them is the user's epoch, raised here by a
// new password or by deletion, in the same transaction that tells all hosts. No answer tells whether an address has an
// account, but to who can read its mail.
// It knows nothing of HTTP, nor of who listens to users' events.
import { v7 } from 'uuid';
import {
  type AddressRule,
  type Call,
  type Limits,
  problem,
  type SecurityLog,
  type SessionAuthority,
  type Store,
} from '#banyan';
import type { PrismaClient } from '../../../prisma/users/client/client.ts';
import { factsOf, mustBeStrong, ownView, userOf } from './account.ts';
import { type Changing, changeAccount, present, signIns, whoAsks } from './changing.ts';
import { type User, users } from './contract.ts';
import { hashPassword, inTurn, isPassword } from './passwords.ts';
import { emailKey, type Session, signedOut, type UserRepository } from './repository.ts';
import type { Sessions } from './sessions.ts';

const registrations: AddressRule = { name: 'registrations', most: 60, seconds: 3600 };

export interface UserServiceParts {
  readonly store: Store<PrismaClient>;
  readonly repository: UserRepository;
  readonly sessions: Sessions;
  readonly authority: SessionAuthority;
  readonly limits: Limits;
  readonly security: SecurityLog;
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

  /** The same answer, in the same time, for an address that has an account: its owner is told, by mail. */
  async register({ email, name, password }: NewAccount, call: Call): Promise<User> {
    const { store, repository, limits } = this.#parts;
    await limits.take(registrations, call.address);
    await mustBeStrong(password, { email, name });
    const passwordHash = await inTurn(call, () => hashPassword(password));
    const known = await repository.findByEmail(email);
    return store.transaction(async (tx) => {
      const account = { id: v7(), email, name, passwordHash, role: 'customer', createdAt: new Date() };
      const row = await repository.insert(tx, account);
      if (row) {
        await tx.publish(users.events['user-registered'], factsOf(row));
        return userOf(row);
      }
      const owner = known ?? (await repository.findByEmail(email));
      if (owner) await tx.publish(users.events['address-tried'], { userId: owner.id });
      return userOf({
        ...account,
        ...{ emailKey: '', wantedEmail: null, blocked: false, epoch: 1 },
        ...{ lastNotifiedAt: null, notificationCount: 0 },
      });
    });
  }

  /**
   * The same answer, in the same time, for a wrong password and for an address that nobody has; both are counted as
   * guesses, in the turn of the hash: those who sign in rightly, many at once, do not count one another.
   */
  async signIn({ email, password }: { email: string; password: string }, call: Call) {
    const { repository, sessions, authority, limits, security } = this.#parts;
    await limits.take(signIns, call.address);
    const { id, role, epoch } = await inTurn(call, async () => {
      const guessed = `sign-in ${emailKey(email)}`;
      const [row] = await Promise.all([repository.findByEmail(email), limits.guess(guessed, call.address)]);
      const right = await isPassword(row?.passwordHash, password);
      if (!row || !right) {
        const target = row ? `user ${row.id}` : undefined;
        const reason = row ? 'the password is wrong' : 'nobody has this address';
        security.write({ event: 'session.begin', outcome: 'refused', address: call.address, target, reason });
        throw problem(users, 'bad-credentials');
      }
      await limits.right(guessed, call.address);
      return row;
    });
    const { session, token, expiresAt } = await authority.sign({ id, role: role as User['role'], epoch });
    await sessions.noteOpened({ id: session, userId: id, expiresAt, address: call.address });
    security.write({
      event: 'session.begin',
      outcome: 'ok',
      ...whoAsks(id, call),
      target: `session ${session}`,
    });
    return { token, expiresAt };
  }

  async me(session: Session): Promise<User> {
    return ownView(await present(this.#parts, session));
  }

  changeMe(session: Session, changes: Changing, call: Call): Promise<User> {
    return changeAccount(this.#parts, session, changes, call);
  }

  /** Leaves no row: the address is free again, and every session ends. */
  async deleteMe(session: Session): Promise<null> {
    const { store, repository, authority } = this.#parts;
    return store.transaction(async (tx) => {
      if (!(await repository.remove(tx, session))) throw signedOut();
      authority.endAll(tx, { id: session.id, epoch: session.epoch + 1 });
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
