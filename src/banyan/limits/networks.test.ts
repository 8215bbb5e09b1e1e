// Which address is in which network, and what is none.
import { expect, test } from 'vitest';
import { loopbackNetworks, networksOf, notANetwork } from './networks.ts';

test('addresses and CIDRs of both families, also an IPv4 address inside an IPv6 one', () => {
  const networks = networksOf(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
  const inside = ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8:1::5'];
  const outside = [
    '11.0.0.1',
    '::ffff:11.0.0.1',
    '192.0.2.8',
    '2001:db9::1',
    '::1',
    'unknown',
    '',
    undefined,
  ];
  expect(inside.filter((one) => networks.has(one))).toEqual(inside);
  expect(outside.filter((one) => networks.has(one))).toEqual([]);
});

test('loopback is all of 127.0.0.0/8 and ::1', () => {
  const loopback = networksOf(loopbackNetworks);
  expect(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'].every((one) => loopback.has(one))).toBe(true);
  expect(loopback.has('128.0.0.1')).toBe(false);
});

test.each([
  '10.0.0.0/33',
  '10.0.0',
  '10.0.0.0/8/8',
  'fe80::1%eth0',
  'localhost',
  '',
  '::1/129',
  '1.2.3.4/-1',
  '1.2.3.4/',
])('%j is none', (part) => expect(notANetwork(['127.0.0.1', part])).toBe(part));
