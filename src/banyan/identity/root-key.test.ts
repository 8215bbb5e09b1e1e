// What is derived of the root key, and what is put away under it.
import { hkdfSync } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import { generateSealKey, generateSigningKey } from './keys.ts';
import { createRootKey, WrongRootKey } from './root-key.ts';

const text = 'a root key of thirty-two characters';
const root = createRootKey(text);
const key = generateSigningKey();

describe('a private key in the ring', () => {
  it('is opened by the root key that sealed it', () => {
    for (const one of [key, generateSealKey()]) expect(root.open(root.seal(one), one.kid)).toEqual(one);
  });

  it('says nothing of itself but its name, and never the same', () => {
    const sealed = root.seal(key);
    expect(sealed).not.toContain(key.d!);
    expect(JSON.parse(Buffer.from(sealed.split('.')[0]!, 'base64url').toString())).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: key.kid,
    });
    expect(root.seal(key)).not.toBe(sealed);
  });

  it('is a JWE that any library reads', async () => {
    const ring = new Uint8Array(hkdfSync('sha256', text, '', 'banyan key ring v1', 32));
    const { plaintext } = await compactDecrypt(root.seal(key), ring);
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual(key);
  });

  it('is not opened by another root key, under another name, or damaged', () => {
    const sealed = root.seal(key);
    const [head, , iv, body, tag] = sealed.split('.');
    const other = generateSigningKey();
    const open = (one: string, kid = key.kid) => root.open(one, kid);
    expect(() => createRootKey(`${text}.`).open(sealed, key.kid)).toThrow(WrongRootKey);
    expect(() => open(sealed, other.kid)).toThrow(WrongRootKey);
    expect(() => open(root.seal(other))).toThrow(WrongRootKey);
    for (const wrong of ['', 'a.b', `${head}..${iv}.${body}.${tag!.slice(0, 4)}`, `${head}..${iv}.AA.${tag}`])
      expect(() => open(wrong)).toThrow(WrongRootKey);
  });
});

it('the secret of the role passwords is no key of the ring', () => {
  expect(root.roleSecret).toBe(createRootKey(text).roleSecret);
  expect(root.roleSecret).not.toBe(createRootKey(`${text}.`).roleSecret);
  expect(root.roleSecret).not.toBe(
    Buffer.from(hkdfSync('sha256', text, '', 'banyan key ring v1', 32)).toString('base64url'),
  );
});
