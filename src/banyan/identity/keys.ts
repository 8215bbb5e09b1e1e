// The key pairs of an installation: made, their public half taken, their name (kid) derived (RFC 7638). Ed25519 signs
// (sessions, internal tokens), X25519 is what texts are sealed for. Who has the private half is said elsewhere
// (held-keys.ts); everybody else is given public halves. It needs no library: every start asks for the names, and jose
// (loaded with the first token) is 46 files.
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';

/** A key with its name. */
export type NamedKey = JWK & { readonly kid: string };

/** A new private Ed25519 key, with its kid. */
export function generateSigningKey(): NamedKey {
  return named(generateKeyPairSync('ed25519').privateKey);
}

/** A new private X25519 key, with its kid. */
export function generateSealKey(): NamedKey {
  return named(generateKeyPairSync('x25519').privateKey);
}

function named(key: KeyObject): NamedKey {
  const jwk = key.export({ format: 'jwk' }) as JWK;
  return { ...jwk, ...publicHalf(jwk) };
}

/** What may be shown to everybody of a key. The kid is derived where the key does not carry one. */
export function publicHalf(jwk: JWK): NamedKey {
  const { kty, crv, x } = jwk;
  const purpose = crv === 'X25519' ? { alg: 'ECDH-ES+A256KW', use: 'enc' } : { alg: 'EdDSA', use: 'sig' };
  return { kty, crv, x, kid: keyId(jwk), ...purpose };
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
