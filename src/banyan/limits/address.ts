// What a client's address counts as: whose requests no limit counts, and which addresses are one client.
// Loopback is always exempt: who is on this machine has better means than to ask often.
// It knows no limit and no module.
import { isIPv6 } from 'node:net';
import { loopbackNetworks, type Networks, networksOf } from './networks.ts';

/** Whether requests of this address are not counted. No address: a call of our own. */
export type IsExempt = (address: string | undefined) => boolean;

/** @param more that are exempt besides this machine: addresses, or networks as `10.0.0.0/8`. */
export function exemptNetworks(more: readonly string[] = []): Networks {
  return networksOf([...loopbackNetworks, ...more]);
}

export function exemptions(exempt: Networks = exemptNetworks()): IsExempt {
  return (address) => address === undefined || exempt.has(address);
}

/** One client: an IPv4 address, or the /64 that a subscriber of IPv6 has to choose from. */
export function clientOf(address: string | undefined): string {
  if (address === undefined) return 'none';
  const plain = unmapped(address);
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('%')[0]!.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':').length + (tail.includes('.') ? 1 : 0) : 0;
  if (tail !== undefined) while (groups.length + after < 8) groups.push('0');
  const whole = tail ? [...groups, ...tail.split(':')] : groups;
  return `${whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** `::ffff:192.0.2.1` is how a socket of both families says 192.0.2.1. */
function unmapped(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}
