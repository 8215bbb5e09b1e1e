// A list of networks, as operators write them: addresses and CIDRs, separated by commas. It says whether an address is
// in one of them; an IPv4 address inside an IPv6 one (::ffff:10.0.0.1) is that IPv4 address.
import { BlockList, isIP, isIPv4 } from 'node:net';

export interface Networks {
  has(address: string | undefined): boolean;
}

/** A part of the list that is neither an address nor a CIDR; undefined: all of them are. */
export function notANetwork(parts: readonly string[]): string | undefined {
  return parts.find((part) => parsed(part) === undefined);
}

export function networksOf(parts: readonly string[]): Networks {
  const list = new BlockList();
  for (const part of parts) {
    const network = parsed(part);
    if (!network) throw new Error(`${part} is neither an address nor a CIDR`);
    list.addSubnet(network.address, network.prefix, network.family);
  }
  return {
    has(address) {
      if (address === undefined) return false;
      return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
    },
  };
}

/** This machine's own addresses for itself. */
export const loopbackNetworks = ['127.0.0.0/8', '::1'] as const;

function parsed(part: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', prefix, ...rest] = part.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return undefined;
  const most = version === 4 ? 32 : 128;
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > most)) return undefined;
  return { address, prefix: Number(prefix ?? most), family: version === 4 ? 'ipv4' : 'ipv6' };
}
