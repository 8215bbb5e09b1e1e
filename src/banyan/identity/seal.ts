// Texts that one module alone can read: a compact JWE (RFC 7516) by the public key of that module (X25519,
// ECDH-ES+A256KW, A256GCM). Whoever carries it (an event, a log, another module's row) carries it closed.
// Guarantees: each has a content key of its own; what was changed on its way is refused; a key that has gone is named.
// Any JOSE library opens it (its test asks jose); here it is node:crypto, and one key agreement serves a minute, because
// by jose a text costs 0.7 ms of CPU to seal and to open, a sixth of what an order costs in all.
// It must not know what the texts are, nor where keys are kept.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import type { JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import type { NamedKey } from './keys.ts';

const ALGORITHM = 'ECDH-ES+A256KW';
const CONTENT = 'A256GCM';
const AGREED_MS = 60_000;

/** A text that cannot be opened: made up, damaged, or sealed for somebody else. */
export class SealBroken extends Error {
  constructor(why: string, cause?: unknown) {
    super(`a sealed text cannot be opened: ${why}`, { cause });
    this.name = 'SealBroken';
  }
}

/** What was agreed on with a receiver: the head that says so, and the key that wraps content keys. */
interface Agreement {
  readonly head: string;
  readonly wrapping: Buffer;
  readonly until: number;
}

const withReceivers = new LRUCache<string, Agreement>({ max: 100 });

export async function sealText(text: string, to: NamedKey): Promise<string> {
  const { head, wrapping } = agreementWith(to);
  const [content, iv] = [randomBytes(32), randomBytes(12)];
  const wrap = createCipheriv('id-aes256-wrap', wrapping, WRAP_IV);
  const key = Buffer.concat([wrap.update(content), wrap.final()]);
  const cipher = createCipheriv('aes-256-gcm', content, iv).setAAD(Buffer.from(head, 'ascii'));
  const closed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return [head, ...[key, iv, closed, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join(
    '.',
  );
}

/** The private half of what was made for it is gone when this returns. */
function agreementWith(to: NamedKey): Agreement {
  const known = withReceivers.get(to.kid);
  if (known && known.until > Date.now()) return known;
  const own = generateKeyPairSync('x25519');
  const { kty, crv, x } = own.publicKey.export({ format: 'jwk' });
  const head = { alg: ALGORITHM, enc: CONTENT, kid: to.kid, epk: { kty, crv, x } };
  const made = {
    head: Buffer.from(JSON.stringify(head)).toString('base64url'),
    wrapping: wrappingKey(own.privateKey, createPublicKey(jwk(to))),
    until: Date.now() + AGREED_MS,
  };
  withReceivers.set(to.kid, made);
  return made;
}

/** By head: what many texts were wrapped with. A head names its receiver's key, so it fits no other. */
const opened = new LRUCache<string, Buffer>({ max: 1000 });

/** @param find the private key of that name, where it is this module's. */
export async function unsealText(
  sealed: string,
  find: (kid: string) => Promise<JWK | undefined>,
): Promise<string> {
  const [head, key, iv, closed, tag, ...more] = sealed.split('.');
  if (head === undefined || tag === undefined || more.length > 0)
    throw new SealBroken('it is not in the form');
  const { kid, epk } = headOf(head);
  const own = await find(kid);
  if (!own) throw new SealBroken(`the key ${kid} is not this module's, or has gone`);
  try {
    let wrapping = opened.get(head);
    if (!wrapping) {
      wrapping = wrappingKey(createPrivateKey(jwk(own)), createPublicKey(jwk(epk)));
      opened.set(head, wrapping);
    }
    const unwrap = createDecipheriv('id-aes256-wrap', wrapping, WRAP_IV);
    const content = Buffer.concat([unwrap.update(key!, 'base64url'), unwrap.final()]);
    const decipher = createDecipheriv('aes-256-gcm', content, Buffer.from(iv!, 'base64url'), {
      authTagLength: 16,
    })
      .setAAD(Buffer.from(head, 'ascii'))
      .setAuthTag(Buffer.from(tag, 'base64url'));
    return Buffer.concat([decipher.update(closed!, 'base64url'), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new SealBroken('it was damaged or made up', cause);
  }
}

interface Head {
  readonly kid: string;
  readonly epk: JWK;
}

/** Nothing but what is written here: no other algorithm, no extension, no compression. */
const MEMBERS = new Set(['alg', 'enc', 'kid', 'epk']);

function headOf(text: string): Head {
  let head: Record<string, unknown> | null = null;
  try {
    head = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    // Not in the form at all.
  }
  const { alg, enc, kid, epk } = head ?? {};
  if (typeof kid !== 'string') throw new SealBroken('it names no key');
  const isKnown = Object.keys(head!).every((name) => MEMBERS.has(name));
  if (alg !== ALGORITHM || enc !== CONTENT || typeof epk !== 'object' || epk === null || !isKnown)
    throw new SealBroken(`it is not sealed by ${ALGORITHM} and ${CONTENT}`);
  return { kid, epk: epk as JWK };
}

/** RFC 3394. */
const WRAP_IV = Buffer.from('A6A6A6A6A6A6A6A6', 'hex');

/** RFC 7518, 4.6.2: one round of the KDF of NIST SP 800-56A, without party information. */
function wrappingKey(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  return createHash('sha256')
    .update(number(1))
    .update(diffieHellman({ privateKey, publicKey }))
    .update(number(ALGORITHM.length))
    .update(ALGORITHM)
    .update(Buffer.concat([number(0), number(0), number(256)]))
    .digest();
}

const jwk = (key: JWK) => ({ key: key as JsonWebKey, format: 'jwk' }) as const;
