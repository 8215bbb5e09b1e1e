// The tokens of operators: made here at random, or ADMIN_TOKEN, which a person may have chosen. Guarantees: what others
// are told to recognise one by, a hash, is no way back to it: SHA-256 where the token has 256 random bits, scrypt where it
// may be a phrase. Comparisons take the same time whatever of a guess was right.
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { libraryProblem } from '../contract/problem.ts';
import { TokenCache } from './token-cache.ts';

/** What every token made here begins with: people and scanners of secrets know one when they see it. */
const PREFIX = 'bop_';

/** 256 bits. */
export function makeOperatorToken(): string {
  return `${PREFIX}${randomBytes(32).toString('base64url')}`;
}

export function isOperatorToken(token: string): boolean {
  return token.startsWith(PREFIX);
}

/** What a token made here is recognised by. */
export function hashOfToken(token: string): string {
  return `sha256:${digest(token).toString('base64url')}`;
}

/** Answers whether a given token is the one that is known here. */
export function createAdminCheck(adminToken: string): (given: string | undefined) => boolean {
  const expected = digest(adminToken);
  return (given) => given !== undefined && timingSafeEqual(digest(given), expected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

// 32 MB and about 60 ms of one thread a guess.
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const BYTES = 32;

/** What ADMIN_TOKEN is recognised by where it is not known: `scrypt:<salt>:<hash>`. */
export async function slowHash(token: string): Promise<string> {
  const salt = randomBytes(16);
  return `scrypt:${salt.toString('base64url')}:${(await derived(token, salt)).toString('base64url')}`;
}

export async function fitsSlowHash(token: string, hash: string): Promise<boolean> {
  const [kind, salt, expected] = hash.split(':');
  if (kind !== 'scrypt' || !salt || !expected) return false;
  const found = await derived(token, Buffer.from(salt, 'base64url'));
  const wanted = Buffer.from(expected, 'base64url');
  return wanted.length === found.length && timingSafeEqual(found, wanted);
}

function derived(token: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(token, salt, BYTES, COST, (error, key) => (error ? reject(error) : resolve(key))),
  );
}

/** Guesses under way at once: each holds 32 MB. */
const AT_ONCE = 2;
const REMEMBERED_MS = 3_600_000;

/**
 * Answers whether a token fits a slow hash: at once when it did before, together with whoever asks for the same one
 * meanwhile. Throws the 429 problem while others are being looked at.
 */
export function createSlowCheck(): (token: string, hash: string) => true | Promise<boolean> {
  const right = new TokenCache<string>(10);
  const underWay = new Map<string, Promise<boolean>>();
  return (token, hash) => {
    const key = digest(token).toString('base64url');
    if (right.get(key) === hash) return true;
    const asked = `${key} ${hash}`;
    let look = underWay.get(asked);
    if (look) return look;
    if (underWay.size >= AT_ONCE)
      throw libraryProblem('too-many-requests', {
        detail: 'Other tokens are being looked at. Try again in a second.',
        retryAfter: 1,
      });
    look = fitsSlowHash(token, hash)
      .then((fits) => {
        if (fits) right.set(key, hash, Date.now() + REMEMBERED_MS);
        return fits;
      })
      .finally(() => underWay.delete(asked));
    underWay.set(asked, look);
    return look;
  };
}
