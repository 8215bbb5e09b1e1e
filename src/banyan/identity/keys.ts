// The key pair that signs sessions: made, its public half taken, its name (kid) derived (RFC 7638).
// The private half stays with the host that signs; everybody else is given the set of public halves. It needs no
// library: every start asks for the names, and jose (loaded with the first token) is 46 files.
import { createHash, generateKeyPairSync } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';

/** A new private Ed25519 key, with its kid. */
export function generateSigningKey(): JWK {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK;
  return { ...jwk, kid: keyId(jwk), alg: 'EdDSA', use: 'sig' };
}

/** What may be shown to everybody of a signing key. The kid is derived where the key does not carry one. */
export function publicHalf(jwk: JWK): JWK {
  const { kty, crv, x } = jwk;
  return { kty, crv, x, kid: keyId(jwk), alg: 'EdDSA', use: 'sig' };
}

/** The name of a key: its own, or the thumbprint of its public half, so that both halves agree on it. */
export function keyId({ kid, kty, crv, x }: JWK): string {
  // RFC 7638: the members that a public key must have, by name, without a space.
  return kid ?? createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
}

/** The body of /.well-known/jwks.json. */
export function keySet(jwks: readonly JWK[]): JSONWebKeySet {
  return { keys: jwks.map(publicHalf) };
}
