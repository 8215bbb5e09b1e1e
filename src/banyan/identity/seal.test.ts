// Who can read a sealed text, and which key signs at the moment.
import { CompactEncrypt, decodeJwt, decodeProtectedHeader, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { createRingSigner, type Keys } from './held-keys.ts';
import { generateSealKey, generateSigningKey, type NamedKey, publicHalf } from './keys.ts';
import { SealBroken, sealText, unsealText } from './seal.ts';

const holder = (...keys: readonly NamedKey[]): Keys => {
  const held = (kid: string) => keys.find((key) => key.kid === kid);
  return { held, find: async (kid) => held(kid) };
};

describe('a sealed text', () => {
  const key = generateSealKey();
  const { find } = holder(key);

  it('is read by the key that it was sealed for, old or new', async () => {
    const older = generateSealKey();
    for (const one of [key, older])
      expect(await unsealText(await sealText('tok_visa ✓', publicHalf(one)), holder(key, older).find)).toBe(
        'tok_visa ✓',
      );
  });

  it('shows neither the text nor a private half', async () => {
    const sealed = await sealText('tok_visa', publicHalf(key));
    expect(decodeProtectedHeader(sealed)).toMatchObject({
      alg: 'ECDH-ES+A256KW',
      enc: 'A256GCM',
      kid: key.kid,
    });
    const readable = sealed.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    for (const secret of ['tok_visa', key.d!]) expect(readable.join()).not.toContain(secret);
    expect(await sealText('tok_visa', publicHalf(key))).not.toBe(sealed);
  });

  it('is refused where its key is not here, and where it was made up or damaged', async () => {
    const sealed = await sealText('tok_visa', publicHalf(key));
    const stranger = await sealText('tok_visa', publicHalf(generateSealKey()));
    await expect(unsealText(stranger, find)).rejects.toThrow(SealBroken);
    const parts = sealed.split('.');
    const changed = parts.map((part, at) =>
      at === 3 ? `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}` : part,
    );
    const direct = await new CompactEncrypt(new TextEncoder().encode('x'))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: key.kid })
      .encrypt(new Uint8Array(32));
    for (const wrong of ['', 'tok_visa', 'a.b.c.d.e', changed.join('.'), direct])
      await expect(unsealText(wrong, find)).rejects.toThrow(SealBroken);
    // The text that cannot be read is no part of what is said.
    await expect(unsealText(changed.join('.'), find)).rejects.not.toThrow(/tok_visa/);
  });
});

describe('sessions are signed', () => {
  const [first, second] = [generateSigningKey(), generateSigningKey()];
  const subject = { id: 'u', role: 'customer', epoch: 0 };
  const kidOf = (token: string) => decodeProtectedHeader(token).kid;

  it('by the key of the moment', async () => {
    let published: JWK[] = [publicHalf(first)];
    const signer = createRingSigner(holder(first, second), () => published as NamedKey[]);
    expect(kidOf((await signer.sign(subject)).token)).toBe(first.kid);
    published = [publicHalf(second), publicHalf(first)];
    const { token } = await signer.sign(subject);
    expect(kidOf(token)).toBe(second.kid);
    expect(decodeJwt(token).sub).toBe('u');
  });

  it('by one that is published and held, where the newest is not here yet', async () => {
    const published = [publicHalf(second), publicHalf(first)];
    const signer = createRingSigner(holder(first), () => published);
    expect(kidOf((await signer.sign(subject)).token)).toBe(first.kid);
  });

  it('by nobody who has no key, and that is said', async () => {
    await expect(createRingSigner(holder(), () => [publicHalf(first)]).sign(subject)).rejects.toThrow(
      /was given no key/,
    );
  });
});
