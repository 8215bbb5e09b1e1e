// Texts that one module alone can read: a compact JWE (RFC 7516) by the public key of that module (X25519,
// ECDH-ES+A256KW, A256GCM). Whoever carries it (an event, a log, another module's row) carries it closed.
// Guarantees: what was changed on its way is refused; a key that has gone is named.
// It must not know what the texts are, nor where keys are kept.
import type { JWK } from 'jose';
import type { NamedKey } from './keys.ts';

const ALGORITHM = 'ECDH-ES+A256KW';
const CONTENT = 'A256GCM';

/** A text that cannot be opened: made up, damaged, or sealed for somebody else. */
export class SealBroken extends Error {
  constructor(why: string, cause?: unknown) {
    super(`a sealed text cannot be opened: ${why}`, { cause });
    this.name = 'SealBroken';
  }
}

export async function sealText(text: string, to: NamedKey): Promise<string> {
  const { CompactEncrypt } = await import('jose');
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: ALGORITHM, enc: CONTENT, kid: to.kid })
    .encrypt(to);
}

/** @param find the private key of that name, where it is this module's. */
export async function unsealText(
  sealed: string,
  find: (kid: string) => Promise<JWK | undefined>,
): Promise<string> {
  const { compactDecrypt, decodeProtectedHeader } = await import('jose');
  const kid = kidOf(() => decodeProtectedHeader(sealed).kid);
  const key = await find(kid);
  if (!key) throw new SealBroken(`the key ${kid} is not this module's, or has gone`);
  try {
    const { plaintext } = await compactDecrypt(sealed, key, {
      keyManagementAlgorithms: [ALGORITHM],
      contentEncryptionAlgorithms: [CONTENT],
    });
    return new TextDecoder().decode(plaintext);
  } catch (cause) {
    throw new SealBroken('it was damaged or made up', cause);
  }
}

function kidOf(read: () => unknown): string {
  try {
    const kid = read();
    if (typeof kid === 'string') return kid;
  } catch {
    // Not in the form at all.
  }
  throw new SealBroken('it names no key');
}
