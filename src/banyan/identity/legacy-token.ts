// The internal tokens of the version before: a JWT by HMAC-SHA256 over one key for all hosts, INTERNAL_KEY. Taken and
// made under INTERNAL_KEY_LEGACY=1 alone, for the time of an upgrade, and gone with the version after this one.
// Whoever has that key speaks as anybody: that is what it is replaced for.
import { hkdfSync } from 'node:crypto';
import type { JWTPayload } from 'jose';

export interface LegacyTokens {
  sign(claims: {
    readonly audience: string;
    readonly now: number;
    readonly expires: number;
  }): Promise<string>;
  /** Rejects with what jose says. */
  verify(token: string, audience: string, clockTolerance: number): Promise<JWTPayload>;
}

const ISSUER = 'banyan:internal';
const ALGORITHM = 'HS256';

/** @param self who asks: `monolith`, or the name of a service. */
export function createLegacyTokens(internalKey: string, self: string): LegacyTokens {
  const key = new Uint8Array(hkdfSync('sha256', internalKey, '', 'banyan internal token v1', 32));
  return {
    async sign({ audience, now, expires }) {
      const { SignJWT } = await import('jose');
      return new SignJWT({ caller: self })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(ISSUER)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(expires)
        .sign(key);
    },
    async verify(token, audience, clockTolerance) {
      const { jwtVerify } = await import('jose');
      const options = { algorithms: [ALGORITHM], issuer: ISSUER, audience, requiredClaims: ['exp'] };
      return (await jwtVerify(token, key, { ...options, clockTolerance })).payload;
    },
  };
}
