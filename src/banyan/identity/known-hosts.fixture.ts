// For tests and benches: hosts that know one another, in whatever process they are. Their keys are made of a text that
// they share and of their names, so two that were given another text do not know each other.
import { createHash, createPrivateKey } from 'node:crypto';
import type { JWK } from 'jose';
import { createInternalTokens, type InternalTokens, MONOLITH } from './internal-token.ts';
import { type NamedKey, publicHalf } from './keys.ts';
import type { KnownServices } from './known-keys.ts';
import { createRights, type Rights } from './rights.ts';

const names = ['bench', 'catalog', 'greeter', 'media', MONOLITH, 'orders', 'payments', 'shelf', 'users'];

/** PKCS 8 around the 32 bytes of a private Ed25519 key (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The private key of that name. */
export function keyOf(shared: string, name: string): NamedKey {
  const seed = createHash('sha256').update(`${shared}\n${name}`).digest();
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const jwk = key.export({ format: 'jwk' }) as JWK;
  return { ...jwk, ...publicHalf(jwk) };
}

/** All of them as a picture has them; each may call each, unless said otherwise. */
export function servicesOf(shared: string, own: KnownServices = {}): KnownServices {
  const all = names.map((name) => {
    const keys = [publicHalf(keyOf(shared, name))];
    return [name, { keys, modules: [name], uses: names, ...own[name] }] as const;
  });
  return Object.fromEntries(all);
}

export function tokensOf(shared: string, self: string): InternalTokens {
  const services = servicesOf(shared);
  const key = keyOf(shared, self);
  return createInternalTokens({ self, key: () => key, services: () => services, refresh: async () => {} });
}

/** What each of them may ask: all of each other, unless said otherwise. */
export function rightsOf(shared: string, own: Partial<KnownServices> = {}): Rights {
  const services = servicesOf(shared, own as KnownServices);
  return createRights(() => services);
}
