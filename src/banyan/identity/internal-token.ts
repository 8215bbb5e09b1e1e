// Internal tokens: how one host proves to another that it belongs to the same installation. A short-lived JWT
// (HMAC-SHA256 over a key derived from INTERNAL_KEY) that names who asks (`caller`) and whom it is for (the
// audience), so that a token caught at one service opens no other. Compared in constant time by WebCrypto.
import { hkdfSync } from 'node:crypto';
import { CLOCKS_MS, type RefusalReason, TokenRefused } from './hop.ts';
import { TokenCache } from './token-cache.ts';

const ISSUER = 'banyan:internal';
const ALGORITHM = 'HS256';

/** Five minutes, renewed one minute before the end: clocks may differ by that and the tolerance, either way (CLOCKS_MS). */
const LIFETIME_SECONDS = 300;
const RENEW_SECONDS = 60;
const CLOCK_TOLERANCE_SECONDS = 30;

/** The audience of the control endpoint, which belongs to no service. */
export const CONTROL_AUDIENCE = 'control';

export interface InternalCaller {
  /** The service that minted the token: `monolith`, or the name of a service. */
  readonly caller: string;
}

export interface InternalTokens {
  /** A token for that audience: at once while the last one is fresh. */
  mint(audience: string): string | Promise<string>;
  /** Who minted it. Throws or rejects with the 401 Problem; at once when it was verified before. */
  verify(token: string | undefined, audience: string): InternalCaller | Promise<InternalCaller>;
}

/** The service of an instance, which is the audience of what is sent to it: `parcels-2` is `parcels`. */
export function audienceOf(instanceId: string): string {
  return instanceId.replace(/-\d+$/, '');
}

/** The token of an `Authorization: Bearer …` header. */
export function bearerOf(header: string | undefined): string | undefined {
  return header !== undefined && /^bearer /i.test(header) ? header.slice(7).trim() : undefined;
}

export function createInternalTokens(internalKey: string, self: string): InternalTokens {
  // Derived, because INTERNAL_KEY may serve other purposes and need not have the length HS256 wants.
  const key = new Uint8Array(hkdfSync('sha256', internalKey, '', 'banyan internal token v1', 32));
  const minted = new Map<string, { token: string; mintedAt: number; renewAt: number }>();
  const verified = new Map<string, TokenCache<InternalCaller>>();

  const mintNew = async (audience: string): Promise<string> => {
    const { SignJWT } = await import('jose');
    const now = Math.floor(Date.now() / 1000);
    const token = await new SignJWT({ caller: self })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + LIFETIME_SECONDS)
      .sign(key);
    minted.set(audience, {
      token,
      mintedAt: now * 1000,
      renewAt: (now + LIFETIME_SECONDS - RENEW_SECONDS) * 1000,
    });
    return token;
  };

  const verifyNew = async (token: string, audience: string): Promise<InternalCaller> => {
    const { jwtVerify } = await import('jose');
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience,
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      if (typeof payload.caller !== 'string') throw new Error('no caller');
      if (payload.iat !== undefined && payload.iat * 1000 > Date.now() + CLOCKS_MS) throw refusal('early');
      const who: InternalCaller = { caller: payload.caller };
      cacheOf(audience).set(token, who, payload.exp! * 1000);
      return who;
    } catch (error) {
      throw error instanceof TokenRefused ? error : refusal(reasonOf(error), error);
    }
  };

  const cacheOf = (audience: string): TokenCache<InternalCaller> => {
    let cache = verified.get(audience);
    if (!cache) {
      cache = new TokenCache(1000);
      verified.set(audience, cache);
    }
    return cache;
  };

  return {
    mint(audience) {
      const last = minted.get(audience);
      const now = Date.now();
      // One of a clock that was set back since is of the future, and refused.
      return last && last.renewAt > now && last.mintedAt <= now ? last.token : mintNew(audience);
    },
    verify(token, audience) {
      if (!token) throw refusal('missing');
      return verified.get(audience)?.get(token) ?? verifyNew(token, audience);
    },
  };
}

function reasonOf(error: unknown): RefusalReason {
  const { code, claim } = error as { code?: string; claim?: string };
  if (code === 'ERR_JWT_EXPIRED') return 'expired';
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' && claim === 'aud') return 'audience';
  return 'signature';
}

const words: Readonly<Record<RefusalReason, string>> = {
  missing: 'An internal token is required on this port.',
  expired: 'The internal token has expired. Is the clock of who sent it behind?',
  early: 'The internal token is not valid yet: the clock of who sent it is ahead.',
  audience: 'The internal token is for another service.',
  signature: 'The internal token is forged or damaged: it was not signed with this INTERNAL_KEY.',
};

function refusal(reason: RefusalReason, cause?: unknown): TokenRefused {
  return new TokenRefused(reason, words[reason], cause);
}
