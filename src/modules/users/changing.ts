// How an account is changed by its user: a name by whoever has the session, a password and an address by who knows the
// present password. Guarantees: a wrong one counts as a guess, as in signing in; no answer tells whether somebody else
// has the address.
import {
  type AddressRule,
  type Call,
  type Limits,
  libraryProblem,
  problem,
  type SecurityLog,
  type SessionAuthority,
  type Store,
} from '#banyan';
import type { PrismaClient } from '../../../prisma/users/client/client.ts';
import { factsOf, mustBeStrong, ownView } from './account.ts';
import { type User, users } from './contract.ts';
import { hashPassword, inTurn, isPassword } from './passwords.ts';
import {
  type Changes,
  EmailTaken,
  type Row,
  type Session,
  signedOut,
  type UserRepository,
} from './repository.ts';

/** More than an office behind one address does; less than a list of passwords is worth. */
export const signIns: AddressRule = { name: 'sign-ins', most: 60, seconds: 60 };
/** Asking for an address and trying to sign in by it would tell whether somebody has it. */
const addressChanges: AddressRule = { name: 'changes of address', most: 20, seconds: 3600 };

export interface ChangingParts {
  readonly store: Store<PrismaClient>;
  readonly repository: UserRepository;
  readonly authority: SessionAuthority;
  readonly limits: Limits;
  readonly security: SecurityLog;
}

export interface Changing {
  readonly email?: string;
  readonly name?: string;
  readonly password?: string;
  readonly currentPassword?: string;
}

interface Wish {
  readonly email: string | undefined;
  readonly name: string | undefined;
  readonly passwordHash: string | undefined;
}

export async function changeAccount(
  parts: ChangingParts,
  session: Session,
  changes: Changing,
  call: Call,
): Promise<User> {
  const { email, name, password, currentPassword } = changes;
  if (email === undefined && name === undefined && password === undefined)
    return ownView(await present(parts, session));
  if (password !== undefined) {
    const now = ownView(await present(parts, session));
    await mustBeStrong(password, { email: email ?? now.email, name: name ?? now.name });
  }
  const isGuarded = email !== undefined || password !== undefined;
  if (isGuarded && currentPassword === undefined) throw presentPasswordMissing();
  const passwordHash = isGuarded ? await proven(parts, session, currentPassword!, password, call) : undefined;
  if (email !== undefined) await parts.limits.take(addressChanges, call.address);
  const wish = { email, name, passwordHash };
  const changed = await change(parts, session, wish).catch((error) => {
    // Somebody took the address in this moment: now it is known to be taken.
    if (error instanceof EmailTaken) return change(parts, session, wish);
    throw error;
  });
  if (isGuarded) {
    const after = { email: email !== undefined, password: password !== undefined };
    parts.security.write({ event: 'account.change', outcome: 'ok', ...whoAsks(session.id, call), after });
  }
  return changed;
}

/** Checks the present password as signing in does, with the same limits, and hashes the new one, if there is one. */
async function proven(
  parts: ChangingParts,
  session: Session,
  current: string,
  next: string | undefined,
  call: Call,
) {
  const { limits, security } = parts;
  await limits.take(signIns, call.address);
  return inTurn(call, async () => {
    const row = await present(parts, session);
    const guessed = `sign-in ${row.emailKey}`;
    await limits.guess(guessed, call.address);
    if (!(await isPassword(row.passwordHash, current))) {
      const reason = 'the present password is wrong';
      security.write({ event: 'account.change', outcome: 'refused', ...whoAsks(session.id, call), reason });
      throw presentPasswordWrong();
    }
    await limits.right(guessed, call.address);
    return next === undefined ? undefined : hashPassword(next);
  });
}

/** An address that another account has is shown as wanted, and changes nothing; its owner is told. */
async function change(
  { store, repository, authority }: ChangingParts,
  session: Session,
  { email, name, passwordHash }: Wish,
): Promise<User> {
  const owner = email === undefined ? null : await repository.findByEmail(email);
  const isTaken = owner !== null && owner.id !== session.id;
  const changes: Changes = {
    ...(email === undefined ? {} : isTaken ? { wantedEmail: email } : { email }),
    ...(name === undefined ? {} : { name }),
    ...(passwordHash === undefined ? {} : { passwordHash }),
  };
  return store.transaction(async (tx) => {
    const row = await repository.change(tx, session, changes);
    if (!row) throw signedOut();
    if (email !== undefined || name !== undefined) {
      await tx.publish(users.events['user-changed'], factsOf(row));
    }
    if (isTaken) await tx.publish(users.events['address-tried'], { userId: owner.id });
    if (passwordHash !== undefined) authority.endAll(tx, row);
    return ownView(row);
  });
}

/** Of a line in the security log. */
export function whoAsks(userId: string, { address }: Call) {
  return { actor: { kind: 'user', id: userId }, address } as const;
}

/** The account of a session that is good. */
export async function present(
  { repository }: Pick<ChangingParts, 'repository'>,
  session: Session,
): Promise<Row> {
  const row = await repository.find(session.id);
  if (row?.epoch !== session.epoch) throw signedOut();
  return row;
}

function presentPasswordMissing() {
  const message = 'is required with a new address or password: the present password';
  return libraryProblem('invalid', { errors: [{ path: '/currentPassword', message }] });
}

function presentPasswordWrong() {
  return problem(users, 'wrong-password', {
    errors: [{ path: '/currentPassword', message: 'is not the present password' }],
  });
}
