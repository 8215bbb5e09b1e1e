// Whom a token claims to be of: read without a proof, from whatever a client sends.
import { expect, it } from 'vitest';
import { claimedUser } from './claimed-user.ts';

const token = (claims: unknown, signature = 'c2ln') =>
  `Bearer e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;

it('is its sub, each token its own, also where two end alike', () => {
  expect([claimedUser(token({ sub: 'ann' })), claimedUser(token({ sub: 'bob' }))]).toEqual(['ann', 'bob']);
  expect(claimedUser(token({ sub: 'ann' }))).toBe('ann');
});

it.each([
  ['no token', 'Bearer abc'],
  ['no JSON', 'Bearer e30.e30x.sig'],
  ['no object', token(null)],
  ['no sub', token({})],
  ['a sub that no header can carry', token({ sub: 'a\nb' })],
  ['more than any session token has', token({ sub: 'ann', more: 'x'.repeat(2_000) })],
])('is nobody where there is %s', (_what, authorization) => {
  expect(claimedUser(authorization)).toBeUndefined();
});
