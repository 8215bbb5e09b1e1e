// What is sealed for one module: opened by its key alone, alike by jose and here, and refused where anything was changed.
import { CompactEncrypt, compactDecrypt } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { generateSealKey, type NamedKey, publicHalf } from './keys.ts';
import { SealBroken, sealText, unsealText } from './seal.ts';

const own = generateSealKey();
const other = generateSealKey();
const open = (sealed: string, key: NamedKey = own) =>
  unsealText(sealed, async (kid) => (kid === key.kid ? key : undefined));
const text = 'tok_ok of Anna 🌱';
const headOf = (sealed: string) => JSON.parse(Buffer.from(sealed.split('.')[0]!, 'base64url').toString());

afterEach(() => vi.useRealTimers());

describe('a sealed text', () => {
  it('is opened by its key, and is another each time', async () => {
    const [one, two] = [await sealText(text, publicHalf(own)), await sealText(text, publicHalf(own))];
    expect(one.split('.').slice(1)).not.toEqual(two.split('.').slice(1));
    for (const part of [1, 2, 3, 4]) expect(one.split('.')[part]).not.toBe(two.split('.')[part]);
    expect([await open(one), await open(two), await open(one)]).toEqual([text, text, text]);
    expect(await open(await sealText('', publicHalf(own)))).toBe('');
  });

  it('is opened by jose, and what jose seals is opened here', async () => {
    const { plaintext } = await compactDecrypt(await sealText(text, publicHalf(own)), own);
    expect(new TextDecoder().decode(plaintext)).toBe(text);
    const theirs = await new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: own.kid })
      .encrypt(publicHalf(own));
    expect(await open(theirs)).toBe(text);
  });

  it('agrees on another key after a minute, and for each receiver', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const epk = async (to: NamedKey) => headOf(await sealText(text, publicHalf(to))).epk.x;
    const first = await epk(own);
    expect(await epk(own)).toBe(first);
    expect(await epk(other)).not.toBe(first);
    vi.setSystemTime(Date.now() + 61_000);
    expect(await epk(own)).not.toBe(first);
  });

  it('is refused with another key, also one that has opened it before', async () => {
    const sealed = await sealText(text, publicHalf(own));
    await open(sealed);
    await expect(open(sealed, other)).rejects.toThrow(/is not this module's/);
    const posing = { ...other, kid: own.kid };
    const fresh = await new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: own.kid })
      .encrypt(publicHalf(own));
    await expect(open(fresh, posing)).rejects.toThrow(SealBroken);
  });

  it('is refused where a single character was changed', async () => {
    const sealed = await sealText(text, publicHalf(own));
    for (let at = 0; at < sealed.length; at += 1) {
      if (sealed[at] === '.' || sealed[at + 1] === '.' || at === sealed.length - 1) continue;
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
      await expect(open(changed), `character ${at}`).rejects.toThrow(SealBroken);
    }
  });

  const withHead = (sealed: string, change: object) => {
    const [, ...rest] = sealed.split('.');
    const head = Buffer.from(JSON.stringify({ ...headOf(sealed), ...change })).toString('base64url');
    return [head, ...rest].join('.');
  };

  it.each<[string, (sealed: string) => string]>([
    ['no text of that form', () => 'tok_ok'],
    ['a head that is none', (sealed) => sealed.replace(/^[^.]+/, 'eyJ4')],
    ['a head that is null', (sealed) => sealed.replace(/^[^.]+/, 'bnVsbA')],
    ['a part too many', (sealed) => `${sealed}.AAAA`],
    ['no key', (sealed) => withHead(sealed, { kid: 7 })],
    ['another algorithm', (sealed) => withHead(sealed, { alg: 'dir' })],
    ['another cipher', (sealed) => withHead(sealed, { enc: 'A128GCM' })],
    ['compression', (sealed) => withHead(sealed, { zip: 'DEF' })],
    ['an extension', (sealed) => withHead(sealed, { crit: ['x'], x: 1 })],
    [
      'a key of another curve',
      (sealed) => withHead(sealed, { epk: { kty: 'OKP', crv: 'Ed25519', x: own.x } }),
    ],
    [
      'a key that is a point of small order',
      (sealed) => withHead(sealed, { epk: { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) } }),
    ],
    ['a tag cut short', (sealed) => sealed.slice(0, -6)],
  ])('is refused with %s', async (_, spoilt) => {
    await expect(open(spoilt(await sealText(text, publicHalf(own))))).rejects.toThrow(SealBroken);
  });
});
