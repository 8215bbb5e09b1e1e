// The key pair that signs sessions: made, its public half taken, its name (kid) derived (RFC 7638).
// The private half stays with the host that signs; everybody else is given the set of public halves.
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK } from 'jose';

/** A new private Ed25519 key, with its kid. */
export async function generateSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await keyId(jwk), alg: 'EdDSA', use: 'sig' };
}

/** What may be shown to everybody of a signing key. The kid is derived where the key does not carry one. */
export async function publicHalf(jwk: JWK): Promise<JWK> {
  const { kty, crv, x } = jwk;
  return { kty, crv, x, kid: await keyId(jwk), alg: 'EdDSA', use: 'sig' };
}

/** The name of a key: its own, or the thumbprint of its public half, so that both halves agree on it. */
export async function keyId(jwk: JWK): Promise<string> {
  return jwk.kid ?? (await calculateJwkThumbprint({ kty: jwk.kty, crv: jwk.crv, x: jwk.x } as JWK));
}

/** The body of /.well-known/jwks.json. */
export async function keySet(jwks: readonly JWK[]): Promise<JSONWebKeySet> {
  return { keys: await Promise.all(jwks.map(publicHalf)) };
}
