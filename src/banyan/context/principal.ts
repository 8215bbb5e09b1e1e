// Who is asking. Made by a door (from a token) or by a ref (another module), read by the dispatcher.
export type Principal =
  | { readonly kind: 'anonymous' }
  | SessionUser
  | { readonly kind: 'operator' }
  | { readonly kind: 'module'; readonly name: string };

/** Whom a session speaks for. */
export interface SessionUser {
  readonly kind: 'user';
  readonly id: string;
  /** `admin` may do what an operator may; any other is the product's own word. */
  readonly role: string;
  readonly epoch: number;
}

export const anonymous: Principal = { kind: 'anonymous' };

/** ADMIN_TOKEN or a session with role admin. */
export function isAdmin(principal: Principal): boolean {
  return principal.kind === 'operator' || (principal.kind === 'user' && principal.role === 'admin');
}
