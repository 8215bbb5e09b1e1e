// Who is signed in at the console: a cookie that has the bearer token in it, sealed under a key that is derived of the root
// key, so that every monolith and gateway can open it and no table is needed. Guarantees: it is good for 8 hours and for as
// long as its token is: a new ADMIN_TOKEN, or an operator who is revoked, ends it with the next request. It is compact JWE
// (RFC 7516). Where it counts is not said here.
import { hkdfSync } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { firstOperator, type Operator } from '../context/principal.ts';
import { createAdminCheck, hashOfToken, isOperatorToken } from '../identity/operator-token.ts';
import { TokenCache } from '../identity/token-cache.ts';
import type { Placements } from '../routing/snapshot.ts';

export const SESSION_SECONDS = 8 * 3_600;
const REMEMBERED = 1_000;
const AUDIENCE = 'banyan console';

export interface ConsoleSession {
  /** As the person who signed in said. */
  readonly name: string;
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export interface ConsoleSessions {
  seal(name: string, token: string): Promise<string>;
  /** Undefined: made by nobody here, changed, or past. */
  open(cookie: string): Promise<ConsoleSession | undefined>;
  /** Whose token it is at this moment; undefined: nobody's any more, or the time is up. */
  operatorOf(session: ConsoleSession): Operator | undefined;
}

export interface SessionsOptions {
  readonly rootKey: string;
  readonly adminToken: string;
  readonly placements: Pick<Placements, 'current'>;
  readonly now?: () => number;
}

export function createSessions({
  rootKey,
  adminToken,
  placements,
  now = Date.now,
}: SessionsOptions): ConsoleSessions {
  const key = new Uint8Array(hkdfSync('sha256', rootKey, '', 'banyan console session v1', 32));
  const isAdmin = createAdminCheck(adminToken);
  const opened = new TokenCache<ConsoleSession>(REMEMBERED);
  return {
    seal: (name, token) =>
      new EncryptJWT({ name, token })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setAudience(AUDIENCE)
        .setExpirationTime(Math.floor(now() / 1_000) + SESSION_SECONDS)
        .encrypt(key),

    async open(cookie) {
      const known = opened.get(cookie);
      if (known) return known;
      try {
        const { payload } = await jwtDecrypt<{ name: string; token: string }>(cookie, key, {
          audience: AUDIENCE,
          contentEncryptionAlgorithms: ['A256GCM'],
          keyManagementAlgorithms: ['dir'],
          currentDate: new Date(now()),
        });
        const session = { name: payload.name, token: payload.token, until: payload.exp! * 1_000 };
        opened.set(cookie, session, session.until);
        return session;
      } catch {
        return undefined;
      }
    },

    operatorOf({ token, until }) {
      if (now() >= until) return undefined;
      if (isAdmin(token)) return firstOperator;
      if (!isOperatorToken(token)) return undefined;
      const hash = hashOfToken(token);
      const known = placements.current.operators?.find((one) => one.hash === hash);
      return known && { kind: 'operator', name: known.name, scopes: known.scopes };
    },
  };
}
