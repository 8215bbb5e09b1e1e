// The user that the session token of a request names, unverified: it chooses a share and gives no right. Whoever makes
// one up chooses for nobody but himself, and is refused when the token is verified. Guarantee: never throws.
import { LRUCache } from 'lru-cache';
import { isKey } from '../context/share.ts';

interface Claim {
  readonly authorization: string;
  readonly user: string | undefined;
}

/** 10,000 sessions. */
const claims = new LRUCache<string, Claim>({ max: 10_000 });

/** A session token has some 500 characters. What is longer is none, and ten thousand of them would fill the memory. */
const LONGEST = 2_048;

/** Found by its end, which is its signature: to hash all of a header costs half of what it costs to read it. */
const END = 20;

/** @param authorization the whole header. Undefined where it names no user. */
export function claimedUser(authorization: string): string | undefined {
  if (authorization.length > LONGEST) return undefined;
  const end = authorization.slice(-END);
  const known = claims.get(end);
  if (known?.authorization === authorization) return known.user;
  const user = userIn(authorization);
  claims.set(end, { authorization, user });
  return user;
}

/** The `sub` of a JWT, which is what stands between two dots. */
function userIn(authorization: string): string | undefined {
  const from = authorization.indexOf('.') + 1;
  const to = authorization.indexOf('.', from);
  if (from === 0 || to < 0) return undefined;
  try {
    const { sub } = JSON.parse(Buffer.from(authorization.slice(from, to), 'base64url').toString());
    return isKey(sub) ? sub : undefined;
  } catch {
    return undefined;
  }
}
