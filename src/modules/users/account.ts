// An account as its user and as others see it, and which password it may have.
import { libraryProblem } from '#banyan';
import type { User } from './contract.ts';
import type { Row } from './repository.ts';
import { whyWeak } from './weak-passwords.ts';

/** As the user sees it: with the address that was asked for, or the answer would tell whether somebody has it. */
export function ownView(row: Row): User {
  return { ...userOf(row), email: row.wantedEmail ?? row.email };
}

export function userOf(row: Row): User {
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

export async function mustBeStrong(
  password: string,
  account: { email: string; name: string },
): Promise<void> {
  const message = await whyWeak(password, account);
  if (message) throw libraryProblem('invalid', { errors: [{ path: '/password', message }] });
}
