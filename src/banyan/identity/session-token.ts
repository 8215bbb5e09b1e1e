// Session tokens: a JWT signed with Ed25519 where sessions begin, verified wherever a request enters (the
// gateway, every service). Algorithm, issuer and audience are pinned. All sessions of a user are revoked by raising the
// user's epoch, one alone by its name (`jti`): both are looked up on every call, also for a token verified before.
// It must not know how a user is stored, nor which port a token came by.
import { createHash, randomBytes } from 'node:crypto';
import type { createLocalJWKSet, JWK, JWTPayload } from 'jose';
import type { Principal } from '../context/principal.ts';
import { libraryProblem, type Problem } from '../contract/problem.ts';
import { keyId } from './keys.ts';
import { TokenCache } from './token-cache.ts';

const ISSUER = 'banyan';
const AUDIENCE = 'banyan:sessions';
const ALGORITHM = 'EdDSA';

/** Twelve hours: a working day. */
export const SESSION_SECONDS = 12 * 60 * 60;

/** Of a session's name: chance gives no two sessions one, and the list of ended ones stays short. */
const NAME_BYTES = 12;

export type UserPrincipal = Extract<Principal, { kind: 'user' }>;

export interface SessionSubject {
  readonly id: string;
  /** `admin` may do what an operator may; any other is the product's own word. */
  readonly role: string;
  /** The user's epoch when the session is opened; a later raise revokes the token. */
  readonly epoch: number;
}

export interface SessionSigner {
  /** `session` names it among all; `expiresAt` is RFC 3339 in UTC. */
  sign(subject: SessionSubject): Promise<{ session: string; token: string; expiresAt: string }>;
}

/** @param jwk the private Ed25519 key. @param lifetimeSeconds may be negative, in tests. */
export function createSessionSigner(jwk: JWK, lifetimeSeconds = SESSION_SECONDS): SessionSigner {
  const kid = keyId(jwk);
  let imported: ReturnType<typeof import('jose').importJWK> | undefined;
  return {
    async sign({ id, role, epoch }) {
      const { importJWK, SignJWT } = await import('jose');
      imported ??= importJWK(jwk, ALGORITHM);
      const key = await imported;
      const now = Math.floor(Date.now() / 1000);
      const expires = now + lifetimeSeconds;
      const session = randomBytes(NAME_BYTES).toString('base64url');
      const token = await new SignJWT({ role, epoch })
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'JWT' })
        .setSubject(id)
        .setJti(session)
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(now)
        .setExpirationTime(expires)
        .sign(key);
      return { session, token, expiresAt: new Date(expires * 1000).toISOString() };
    },
  };
}

export interface SessionVerifier {
  /** The user behind the token: at once when it was verified before. Throws or rejects with the 401 Problem. */
  verify(token: string): UserPrincipal | Promise<UserPrincipal>;
}

export interface VerifierOptions {
  /** The public keys of the moment. When they change, every token verified with those before is dropped. */
  readonly keys: () => readonly JWK[];
  /** User id to the epoch below which a token is revoked (`placements.current.revoked`). */
  readonly revoked: () => Readonly<Record<string, number>>;
  /** Looks whether there are other keys by now: a host that stood still meets a session of a key it has not heard of. */
  readonly refresh?: () => Promise<unknown>;
  /** Sessions that were ended one by one, by name (`placements.current.revokedSessions`). */
  readonly ended?: () => Readonly<Record<string, unknown>>;
  readonly capacity?: number;
}

/** Whoever makes tokens up makes nobody look more often. */
const REFRESH_MS = 1_000;

export function createSessionVerifier({
  keys,
  revoked,
  refresh,
  ended = () => ({}),
  capacity,
}: VerifierOptions): SessionVerifier {
  const cache = new TokenCache<UserPrincipal>(capacity);
  let seen: readonly JWK[] | undefined;
  let known = '';
  let findKey: Promise<FindKey> | undefined;

  /** Compared by content only when the array is another: a service gets a new one with every snapshot. */
  const look = (found: readonly JWK[]): void => {
    seen = found;
    const text = JSON.stringify(found);
    if (text === known) return;
    known = text;
    findKey = undefined;
    cache.clear();
  };

  const current = (user: UserPrincipal): UserPrincipal => {
    const least = revoked()[user.id];
    if (least !== undefined && user.epoch < least) {
      throw refusal('The session was revoked. Sign in again.');
    }
    if (ended()[user.session] !== undefined) throw refusal('The session was ended. Sign in again.');
    return user;
  };

  /** Whether there are other keys than these, now or after a look. */
  let refreshing: { readonly at: number; readonly done: Promise<unknown> } | undefined;
  const foundOthers = async (before: string): Promise<boolean> => {
    if (known !== before) return true;
    if (!refresh) return false;
    const now = performance.now();
    if (!refreshing || now - refreshing.at > REFRESH_MS) refreshing = { at: now, done: refresh() };
    await refreshing.done;
    look(keys());
    return known !== before;
  };

  const verifyNew = async (token: string, again = true): Promise<UserPrincipal> => {
    const verifiedWith = known;
    findKey ??= finderOf(seen!);
    const payload = await verifyJwt(token, await findKey).catch(async (error: unknown) => {
      if (!(again && isUnknownKey(error) && (await foundOthers(verifiedWith)))) throw error;
      return undefined;
    });
    if (payload === undefined) return verifyNew(token, false);
    const user = userOf(payload, token);
    if (verifiedWith === known) cache.set(token, user, payload.exp! * 1000);
    return current(user);
  };

  return {
    verify(token) {
      const found = keys();
      if (found !== seen) look(found);
      const user = cache.get(token);
      return user === undefined ? verifyNew(token) : current(user);
    },
  };
}

type FindKey = ReturnType<typeof createLocalJWKSet>;

async function finderOf(keys: readonly JWK[]): Promise<FindKey> {
  const { createLocalJWKSet } = await import('jose');
  return createLocalJWKSet({ keys: [...keys] });
}

async function verifyJwt(token: string, key: FindKey): Promise<JWTPayload> {
  const { jwtVerify } = await import('jose');
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['sub', 'exp', 'iat'],
    });
    return payload;
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_JWT_EXPIRED')
      throw refusal('The session has expired. Sign in again.');
    throw refusal('The session token is forged or damaged: it was not signed here.', error);
  }
}

function isUnknownKey(error: unknown): boolean {
  const cause = (error as { cause?: { code?: string } }).cause;
  return cause?.code === 'ERR_JWKS_NO_MATCHING_KEY';
}

/** Tokens made before sessions had names are named by what they are. */
function userOf({ sub, role, epoch, jti }: JWTPayload, token: string): UserPrincipal {
  const session = jti ?? createHash('sha256').update(token).digest().toString('base64url', 0, NAME_BYTES);
  if (typeof role === 'string' && typeof epoch === 'number' && typeof sub === 'string')
    return { kind: 'user', id: sub, role, epoch, session };
  throw refusal('The session token is not one of ours: it names no user, role or epoch.');
}

function refusal(detail: string, cause?: unknown): Problem {
  return libraryProblem('unauthenticated', { detail, cause });
}
