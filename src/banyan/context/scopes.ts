// What an operator may be let do, in parts: each operation under /admin names the one that it needs, and whoever holds
// that one may do exactly this. A first operator, who holds ADMIN_TOKEN, has all of them.
// It knows no operation: contracts name a scope.

export const scopes = ['read', 'place', 'events', 'saga', 'store', 'compare', 'keys', 'operators'] as const;

export type Scope = (typeof scopes)[number];

/** In words, for people who grant them. */
export const scopeWords: Readonly<Record<Scope, string>> = {
  read: 'see what is where and how it does, and change nothing',
  place: 'move modules, start and stop their processes; see where they are',
  events: 'publish, redrive, drop, skip and replay events; see them',
  saga: 'choose the style of sagas, help or cancel a stuck one; see them',
  store:
    "move the modules' stores from server to server, and change what stands in them, as their administrator",
  compare: 'have the architectures compared',
  keys: 'rotate and issue keys',
  operators: 'add and revoke operators, and so give themselves all of these',
};

/** What an operation needs: one scope, or any of several. */
export type Needed = Scope | readonly Scope[];

export const listed = (needed: Needed): readonly Scope[] => (typeof needed === 'string' ? [needed] : needed);
