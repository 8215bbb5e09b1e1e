// What is derived of the one root key that monoliths and gateways are given: the secret of the database roles'
// passwords, and the key under which private halves lie in the key ring. Guarantees: neither tells anything of the
// root key or of the other (HKDF, RFC 5869); a private half is only opened under the name it was put away by.
// A sealed one is a compact JWE (RFC 7516, `dir`, A256GCM), so any JOSE library can read it. It is made and opened here
// by node:crypto, because every start opens a dozen and jose, loaded with the first token, is 46 files.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { NamedKey } from './keys.ts';

/** Where the private half of a key of the ring was sealed under another root key, or is damaged. */
export class WrongRootKey extends Error {
  constructor(kid: string, cause?: unknown) {
    super(`the key ${kid} of the ring was sealed under another root key`, { cause });
    this.name = 'WrongRootKey';
  }
}

export interface RootKey {
  /** Of it the passwords of database roles are derived. */
  readonly roleSecret: string;
  seal(jwk: NamedKey): string;
  /** Throws WrongRootKey. */
  open(sealed: string, kid: string): NamedKey;
}

const TAG_BYTES = 16;

export function createRootKey(rootKey: string): RootKey {
  const derive = (what: string) => Buffer.from(hkdfSync('sha256', rootKey, '', what, 32));
  const ring = derive('banyan key ring v1');
  return {
    roleSecret: derive('banyan role passwords v1').toString('base64url'),

    seal(jwk) {
      const head = encode(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid: jwk.kid }));
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', ring, iv).setAAD(Buffer.from(head));
      const text = Buffer.concat([cipher.update(JSON.stringify(jwk)), cipher.final()]);
      return [head, '', encode(iv), encode(text), encode(cipher.getAuthTag())].join('.');
    },

    open(sealed, kid) {
      try {
        const [head, , iv, text, tag] = sealed.split('.') as [string, string, string, string, string];
        const { alg, enc, kid: own } = JSON.parse(decode(head).toString());
        if (alg !== 'dir' || enc !== 'A256GCM' || own !== kid)
          throw new Error('another form, or another key');
        const cipher = createDecipheriv('aes-256-gcm', ring, decode(iv), { authTagLength: TAG_BYTES });
        cipher.setAAD(Buffer.from(head)).setAuthTag(decode(tag));
        return JSON.parse(Buffer.concat([cipher.update(decode(text)), cipher.final()]).toString());
      } catch (cause) {
        throw new WrongRootKey(kid, cause);
      }
    },
  };
}

const encode = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64url');
const decode = (text: string) => Buffer.from(text, 'base64url');
