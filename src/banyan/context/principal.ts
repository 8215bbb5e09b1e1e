// Who is asking. Made by a door (from a token) or by a ref (another module), read by the dispatcher.
import { listed, type Needed, type Scope, scopes } from './scopes.ts';

export type Principal =
  | { readonly kind: 'anonymous' }
  | SessionUser
  | Operator
  | { readonly kind: 'module'; readonly name: string };

/** Whom a session speaks for. */
export interface SessionUser {
  readonly kind: 'user';
  readonly id: string;
  /** `admin` may do what an administrator may; any other is the product's own word. */
  readonly role: string;
  readonly epoch: number;
  /** Which of the user's sessions: what ends this one alone names it. */
  readonly session: string;
}

/** A person or a script with a token of its own. */
export interface Operator {
  readonly kind: 'operator';
  readonly name: string;
  readonly scopes: readonly Scope[];
}

export const anonymous: Principal = { kind: 'anonymous' };

/** Who holds ADMIN_TOKEN. */
export const firstOperator: Operator = { kind: 'operator', name: 'operator', scopes };

/** A session with role admin. */
export function isAdmin(principal: Principal): boolean {
  return principal.kind === 'user' && principal.role === 'admin';
}

/** An operator who has the scope that is needed, or one of them. */
export function mayDo(principal: Principal, needed: Needed): boolean {
  return principal.kind === 'operator' && listed(needed).some((one) => principal.scopes.includes(one));
}

/**
 * Who did something, for histories: the name that was proven, and beside it what was said of it.
 * @param remark X-Changed-By: nobody's word for who he is.
 */
export function doneBy(principal: Principal, remark?: string): string {
  const who = nameOf(principal);
  return remark === undefined ? who : `${who} (${remark})`;
}

function nameOf(principal: Principal): string {
  if (principal.kind === 'operator' || principal.kind === 'module') return principal.name;
  return principal.kind === 'user' ? `user ${principal.id}` : 'nobody';
}
