// What users promises: accounts, sessions, and the facts that others build on.
import type { Static } from 'typebox';
import {
  closed,
  defineContract,
  empty,
  event,
  id,
  line,
  nothing,
  nullable,
  operation,
  plain,
  prose,
  Type,
  time,
  visible,
} from '#banyan';

/** RFC 5322 lets control characters stand in a quoted local part: PostgreSQL stores no NUL, mail headers break at CR LF. */
const email = line({ format: 'email', maxLength: 254 });
const name = visible({ minLength: 1, maxLength: 100, examples: ['Ada Lovelace'] });
const PASSWORD = 'a pear, a river and 7 stones';
const password = Type.String({ minLength: 8, maxLength: 200, examples: [PASSWORD] });
const shown = {
  email: Type.String({ examples: ['ada@example.com'] }),
  name: Type.String({ examples: ['Ada Lovelace'] }),
};
const role = plain(Type.Union([Type.Literal('customer'), Type.Literal('admin')]));
const blocked = plain(Type.Boolean());

export const User = Type.Object({
  id: id(),
  ...shown,
  role,
  blocked,
  createdAt: time(),
  /** What came back from notifications: when this user was last written to, and how often. */
  lastNotifiedAt: nullable(time()),
  notificationCount: plain(Type.Integer()),
});
export type User = Static<typeof User>;

/** As its user sees it. */
export const SignedIn = Type.Object({
  id: Type.String({ examples: ['kq3vF0yHs2cN7uXe'] }),
  openedAt: time(),
  expiresAt: time(),
  /** The one that asks. */
  current: plain(Type.Boolean()),
  /** The address that it was opened from. */
  from: nullable(Type.String({ examples: ['192.0.2.1'] })),
});

const Changed = Type.Object({
  userId: id(),
  email: Type.String(),
  name: Type.String(),
  blocked,
});

export const users = defineContract('users', {
  summary: 'Accounts and sessions',
  errors: {
    'bad-credentials': { status: 401, title: 'The email address or the password is wrong' },
    'wrong-password': { status: 403, title: 'The present password is wrong' },
    'session-unknown': { status: 404, title: 'No open session of this account has that id' },
    'user-unknown': { status: 404, title: 'No such user' },
  },
  operations: {
    register: operation({
      summary: 'Register',
      description:
        'A password of at least 8 characters that is not one of the 30,000 most common, nor the name or address of the account. An address that has an account is answered alike, so that nobody learns which have one; nothing is opened or changed then, and the owner of the address gets a mail, at most one a day.',
      access: 'public',
      http: { method: 'POST', path: '/api/users', status: 201 },
      input: closed({ email, name, password }),
      output: User,
      shadow: { never: 'a password is hashed with all of a core for 0.1 s, which would be done twice' },
      idempotent: false,
    }),
    signIn: operation({
      summary: 'Open a session',
      description:
        'A blocked user may still sign in and see their orders; what they order is rejected. After five wrong passwords for one account answers are 429 for a while that grows with each, from 1 s to 15 minutes; an address that has signed in to it before waits for its own failures alone.',
      access: 'public',
      http: { method: 'POST', path: '/api/users/sessions', status: 201 },
      input: closed({
        email: prose({ maxLength: 254, examples: ['ada@example.com'] }),
        password: Type.String({ maxLength: 200, examples: [PASSWORD] }),
      }),
      output: Type.Object({
        token: Type.String({ examples: ['eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl'] }),
        expiresAt: time(),
      }),
      shadow: { never: 'a password is hashed with all of a core for 0.1 s, which would be done twice' },
      idempotent: false,
      errors: ['bad-credentials'],
    }),
    signOut: operation({
      summary: 'End the session that asks',
      access: 'session',
      http: { method: 'DELETE', path: '/api/users/sessions/current', status: 204 },
      input: nothing,
      output: empty,
      idempotent: true,
    }),
    sessions: operation({
      summary: 'The open sessions of the signed-in user, newest first, at most 100',
      access: 'session',
      http: { method: 'GET', path: '/api/users/me/sessions' },
      input: nothing,
      output: Type.Object({ items: Type.Array(SignedIn) }),
      idempotent: true,
    }),
    endSession: operation({
      summary: 'End one session',
      description: 'A session that is ended is refused everywhere within a second.',
      access: 'session',
      http: { method: 'DELETE', path: '/api/users/me/sessions/:id', status: 204 },
      input: closed({
        id: Type.String({ pattern: '^[A-Za-z0-9_-]{16}$', examples: ['kq3vF0yHs2cN7uXe'] }),
      }),
      output: empty,
      idempotent: true,
      errors: ['session-unknown'],
    }),
    endOtherSessions: operation({
      summary: 'End all sessions but the one that asks',
      access: 'session',
      http: { method: 'DELETE', path: '/api/users/me/sessions', status: 204 },
      input: nothing,
      output: empty,
      idempotent: true,
    }),
    me: operation({
      summary: 'The signed-in user',
      access: 'session',
      http: { method: 'GET', path: '/api/users/me' },
      input: nothing,
      output: User,
      idempotent: true,
    }),
    changeMe: operation({
      summary: 'Change name, email or password',
      description:
        'A new password and a new address need `currentPassword`; a wrong one counts as a guess, as in signing in. A new password revokes every session opened before, this one included. It must not be a common one, as in registering. An address that has another account is answered as one that is free, and shown here as the new one; but one signs in by the old address still, mail goes there, and the owner of the other gets a mail.',
      access: 'session',
      http: { method: 'PATCH', path: '/api/users/me' },
      input: closed({
        email: Type.Optional(email),
        name: Type.Optional(name),
        password: Type.Optional(password),
        currentPassword: Type.Optional(Type.String({ maxLength: 200, examples: [PASSWORD] })),
      }),
      output: User,
      idempotent: true,
      errors: ['wrong-password'],
    }),
    deleteMe: operation({
      summary: 'Delete the account',
      access: 'session',
      http: { method: 'DELETE', path: '/api/users/me', status: 204 },
      input: nothing,
      output: empty,
      idempotent: true,
    }),
    administer: operation({
      summary: 'Block or unblock a user',
      access: 'admin',
      scope: 'store',
      http: { method: 'PATCH', path: '/api/users/:id' },
      input: closed({ id: id(), blocked: Type.Boolean() }),
      output: User,
      idempotent: true,
      errors: ['user-unknown'],
    }),
    getUser: operation({
      summary: 'A user as other modules see one; null when there is none',
      access: 'internal',
      input: closed({ userId: id() }),
      output: nullable(Type.Object({ id: id(), email: Type.String(), name: Type.String(), blocked })),
      shadow: { reads: true },
      idempotent: true,
    }),
  },
  events: {
    'user-registered': event({ summary: 'A user registered', version: 1, key: 'userId', data: Changed }),
    'user-changed': event({
      summary: 'Email, name or the block changed',
      version: 1,
      key: 'userId',
      data: Changed,
    }),
    'address-tried': event({
      summary: 'Somebody tried to register with, or to change to, the address that this user has',
      version: 1,
      key: 'userId',
      data: Type.Object({ userId: id() }),
    }),
    'user-deleted': event({
      summary: 'A user is gone',
      version: 1,
      key: 'userId',
      data: Type.Object({ userId: id() }),
    }),
  },
  mayLack: [
    ...['signOut', 'sessions', 'endSession', 'endOtherSessions'].map((name) => `/operations/${name}`),
    '/operations/changeMe/input/currentPassword',
    '/events/address-tried',
  ],
});
