// Where a service may say that it is reached. Its address is where gateways send what clients say, so it is an origin
// and nothing else, in a network that the configuration names: loopback, and SERVICE_NETWORKS. Link-local addresses and
// those at which clouds give out credentials are refused whatever is named, in every spelling of them.
// It resolves no name: a name is one of the list, or it is none.
import { isIP } from 'node:net';
import { loopbackNetworks, type Networks, networksOf, notANetwork } from '../limits/networks.ts';

/** Networks and names as SERVICE_NETWORKS has them: CIDRs, addresses, names, and names of the form `*.svc.local`. */
export interface ServiceNetworks {
  /** @param hostname as URL has it. */
  has(hostname: string): boolean;
}

const NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,250}[a-z0-9])?$/i;

/** A part of the list that is neither a network nor a name; undefined: all of them are. */
export function notAPlace(parts: readonly string[]): string | undefined {
  return parts.find((part) => notANetwork([part]) !== undefined && (!NAME.test(part) || isNumeric(part)));
}

/** Of a name whose last part is a number, as of 300.1.2.3, somebody meant an address. */
function isNumeric(name: string): boolean {
  return /(?:^|\.)[0-9]+$/.test(name);
}

// Metadata services: AWS by IPv6, Alibaba, Oracle; those of the others are link-local.
const NEVER = [
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::254',
  '100.100.100.200',
  '192.0.0.192',
  '0.0.0.0/8',
  '::',
];
const never = networksOf(NEVER);
const NEVER_NAMES = /^(?:metadata|instance-data)(?:\.|$)/;

export function serviceNetworks(parts: readonly string[]): ServiceNetworks {
  const networks = networksOf([
    ...loopbackNetworks,
    ...parts.filter((part) => notANetwork([part]) === undefined),
  ]);
  const names = parts.filter((part) => notANetwork([part]) !== undefined).map((name) => name.toLowerCase());
  const exact = new Set(['localhost', ...names.filter((name) => !name.startsWith('*.'))]);
  const endings = names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1));
  return {
    has(hostname) {
      const name = hostname.toLowerCase().replace(/\.$/, '');
      const address = name.replace(/^\[(.*)\]$/, '$1');
      if (isIP(address)) return allows(networks, address);
      if (NEVER_NAMES.test(name)) return false;
      return exact.has(name) || endings.some((ending) => name.endsWith(ending));
    },
  };
}

function allows(networks: Networks, address: string): boolean {
  const inside = embedded(address);
  if (never.has(address) || (inside !== undefined && never.has(inside))) return false;
  return networks.has(address);
}

/** The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 (64:ff9b::/96), 6to4. */
function embedded(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const words = wordsOf(address);
  const at = words[0] === 0x2002 ? 1 : leadsToIPv4(words) ? 6 : undefined;
  if (at === undefined) return undefined;
  const [high, low] = [words[at]!, words[at + 1]!];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function leadsToIPv4(words: readonly number[]): boolean {
  if (words[0] === 0x64 && words[1] === 0xff9b) return true;
  if (words.slice(0, 5).some((word) => word !== 0)) return false;
  // ::1 is loopback, and nobody's compatible address.
  return words[5] === 0xffff || (words[5] === 0 && words[6] !== 0);
}

/** URL has made the shortest form of it, so there are no dots. */
function wordsOf(address: string): number[] {
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const parse = (text: string) => (text ? text.split(':').map((word) => Number.parseInt(word, 16)) : []);
  const [head, tail] = [parse(left), parse(right ?? '')];
  return [...head, ...new Array(8 - head.length - tail.length).fill(0), ...tail];
}

/** Why the text is no address of a host, whatever networks there are; undefined: it is one. */
export function notAnOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be the address of a host';
  const { protocol, origin, href, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return 'must begin with http:// or https://';
  if (username || password) return 'must have no credentials in it';
  if (href !== `${origin}/`)
    return 'must be an origin, such as http://parcels-1.internal:4000, without path, query or fragment';
  return undefined;
}

/** Why a service is not believed to be there; undefined: it may be. @param id for the words. */
export function refusedAddress(id: string, url: string, networks: ServiceNetworks): string | undefined {
  const { hostname } = new URL(url);
  if (networks.has(hostname)) return undefined;
  return (
    `${id} says that it is reached at ${hostname}, which is neither loopback nor in SERVICE_NETWORKS. ` +
    'Name its network or its name there, on every monolith; link-local and metadata addresses are never taken.'
  );
}
