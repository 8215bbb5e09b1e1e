// The forms that a variable of the environment may have: each reader takes a name and a text, and answers the
// value or throws the one line that names the variable and the remedy. Secrets and URLs, which may hold some,
// are never repeated in it.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { JWK } from 'jose';
import { type NamedKey, publicHalf } from '../identity/keys.ts';
import { notANetwork } from '../limits/networks.ts';
import { type BrokerAddress, BrokerUrlError, parseBrokerUrl, readCa } from '../log/kafka/url.ts';
import { notAPlace } from '../placement/advertised.ts';
import { RELEASE } from '../routing/release.ts';

/** The variables of a process, by name. */
export type Env = Readonly<Record<string, string | undefined>>;

/** A mistake in the environment. `message` is the one line to show. */
export class ConfigurationError extends Error {
  constructor(variable: string, wrong: string, remedy: string) {
    super(`${variable} ${wrong}. ${remedy}`);
    this.name = 'ConfigurationError';
  }
}

/** A given text as part of a line: its breaks and other controls in escapes, and no longer than helps. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

export function readInteger(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new ConfigurationError(name, `is ${quoted(text)}`, `Use a whole number from ${least} to ${most}.`);
  }
  return value;
}

export function readPort(name: string, text: string): number {
  return readInteger(name, text, 0, 65_535);
}

/** What tells two releases of a module apart. */
export function readRelease(name: string, text: string): string {
  if (RELEASE.test(text)) return text;
  const remedy = 'Use a version or a tag such as 1.5.0: letters, digits and . _ + -, at most 128.';
  throw new ConfigurationError(name, `is ${quoted(text)}`, remedy);
}

export function readHost(name: string, text: string): string {
  if (!/^[A-Za-z0-9.:_-]+$/.test(text))
    throw new ConfigurationError(name, `is ${quoted(text)}`, 'Use an address such as 127.0.0.1 or 0.0.0.0.');
  return text;
}

/** A list of addresses and CIDRs; unset is an empty one. */
export function readNetworks(name: string, text: string | undefined): string[] {
  if (text === undefined) return [];
  const parts = text.split(',').map((part) => part.trim());
  const wrong = notANetwork(parts);
  if (wrong === undefined) return parts;
  const remedy = 'Use addresses and CIDRs, such as 10.0.0.0/8,192.0.2.7,2001:db8::/32.';
  throw new ConfigurationError(name, `has ${quoted(wrong)}, which is neither an address nor a CIDR`, remedy);
}

/** A list of networks and host names; unset is an empty one. */
export function readPlaces(name: string, text: string | undefined): string[] {
  if (text === undefined) return [];
  const parts = text.split(',').map((part) => part.trim());
  const wrong = notAPlace(parts);
  if (wrong === undefined) return parts;
  const remedy = 'Use CIDRs, addresses and names, such as 10.0.0.0/8,parcels,*.svc.local.';
  throw new ConfigurationError(name, `has ${quoted(wrong)}, which is neither a network nor a name`, remedy);
}

/** 1 or 0; unset is 0. */
export function readSwitch(name: string, text = '0'): boolean {
  if (text === '0' || text === '1') return text === '1';
  throw new ConfigurationError(name, `is ${quoted(text)}`, 'Use 1, or leave it unset.');
}

const TAKEN = ['/api', '/admin', '/health', '/docs', '/openapi.json', '/asyncapi.json', '/.well-known'];

/** A path that is nobody else's, or `off`: undefined. */
export function readConsole(text: string): string | undefined {
  if (text === 'off') return undefined;
  const taken = TAKEN.find((one) => text === one || text.startsWith(`${one}/`));
  const remedy = 'Use a path such as /console, of small letters, digits and -, or off.';
  if (taken)
    throw new ConfigurationError('CONSOLE', `is ${quoted(text)}, and ${taken} is something else`, remedy);
  if (/^(\/[a-z0-9][a-z0-9-]*)+$/.test(text) && text.length <= 100) return text;
  throw new ConfigurationError('CONSOLE', `is ${quoted(text)}`, remedy);
}

export interface UrlKind {
  readonly protocols: readonly string[];
  readonly example: string;
}

export const postgres: UrlKind = {
  protocols: ['postgres:', 'postgresql:'],
  example: 'postgres://user:pass@db:5432/banyan',
};
export const http: UrlKind = { protocols: ['http:', 'https:'], example: 'http://127.0.0.1:4000' };

/** A setting of a product's own, in a variable: a URL, a whole number, or a text that is kept to itself. */
export type Readable = ReadableUrl | ReadableInteger | ReadableText;

export interface ReadableUrl extends UrlKind {
  readonly variable: string;
  /** The folder of DATA_DIR where none is given, for a `file:` URL. */
  readonly folder?: string;
  /** What is used where none is given, in the words of the help. Default: the folder under DATA_DIR. */
  readonly unset?: string;
}

export interface ReadableInteger {
  readonly variable: string;
  readonly least: number;
  readonly most: number;
  readonly default: number;
}

/** Never repeated in a message: it may be a secret. */
export interface ReadableText {
  readonly variable: string;
  readonly shortest: number;
  readonly example: string;
  /** What is used where none is given, in the words of the help. */
  readonly unset: string;
}

export type OwnValue = string | number | undefined;

export function readOwn(setting: Readable, text: string | undefined, dataDir: string): OwnValue {
  const { variable } = setting;
  if ('least' in setting)
    return readInteger(variable, text ?? String(setting.default), setting.least, setting.most);
  if ('shortest' in setting) {
    if (text === undefined || text.length >= setting.shortest) return text;
    const remedy = `Use a form such as ${setting.example}.`;
    throw new ConfigurationError(variable, `is shorter than ${setting.shortest} characters`, remedy);
  }
  const url = readUrl(variable, text, setting);
  if (url === undefined)
    return setting.folder === undefined ? undefined : pathToFileURL(join(dataDir, setting.folder)).href;
  if (url.startsWith('file:')) readFolder(variable, fileURLToPath(url));
  return url;
}

/** A line of the help: the variable, what holds where it is unset, its form. */
export function helpOf(setting: Readable): readonly [variable: string, unset: string, form: string] {
  if ('least' in setting)
    return [setting.variable, String(setting.default), `${setting.least} to ${setting.most}`];
  const { variable, unset = 'under DATA_DIR', example } = setting;
  return [variable, unset, example];
}

export function readUrl(name: string, text: string | undefined, kind: UrlKind): string | undefined {
  if (text === undefined) return undefined;
  if (!isUrl(text, kind.protocols)) {
    throw new ConfigurationError(
      name,
      `is not a ${kind.protocols[0]!.slice(0, -1)} URL`,
      `Use a form such as ${kind.example}.`,
    );
  }
  return text;
}

/** Also the parts are readable: a password with a bare % would fail only when somebody connects. */
function isUrl(text: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host, username, password, pathname } = new URL(text);
  // file://parcels/x has a host, parcels, where somebody meant a folder.
  if (!protocols.includes(protocol) || (protocol === 'file:') !== (host === '')) return false;
  try {
    decodeURIComponent(username + password + pathname);
    return true;
  } catch {
    return false;
  }
}

/** What BROKER_URL says where the log is the one in PostgreSQL: a service then speaks to it as the roles of its modules. */
export const POSTGRES_LOG = 'postgres';

/** A list of Kafka's brokers; or the log in PostgreSQL, by its word or, as services once had it, its URL. */
export function readBroker(name: string, text: string | undefined): string | undefined {
  if (text === undefined || text === POSTGRES_LOG || isUrl(text, postgres.protocols)) return text;
  readKafka(name, text);
  return text;
}

/** What a Kafka URL says; also its certificates are there. */
export function readKafka(name: string, text: string): BrokerAddress {
  try {
    const address = parseBrokerUrl(text);
    readCa(address);
    return address;
  } catch (error) {
    if (error instanceof BrokerUrlError) throw new ConfigurationError(name, error.wrong, error.remedy);
    throw error;
  }
}

/** The kernel's own folders take no files, and Node waits for ever for a folder to be made there. */
export function readFolder(name: string, folder: string): string {
  if (!/^\/(proc|sys)(\/|$)/.test(folder)) return folder;
  throw new ConfigurationError(
    name,
    `is ${quoted(folder)}, where no files can be kept`,
    'Use another folder.',
  );
}

/** `stdout`, `stderr`, or a file; where none is given, one in DATA_DIR. */
export function readSecurityLog(text: string | undefined, dataDir: string): string {
  if (text === undefined) return join(dataDir, 'security.jsonl');
  if (text === 'stdout' || text === 'stderr') return text;
  if (text.startsWith('/') && !text.endsWith('/')) return readFolder('SECURITY_LOG', text);
  const remedy = 'Use stdout, stderr, or the whole path of a file, such as /var/log/banyan/security.jsonl.';
  throw new ConfigurationError('SECURITY_LOG', `is ${quoted(text)}`, remedy);
}

export function readSecret(name: string, text: string | undefined, shortest = 16): string | undefined {
  if (text !== undefined && text.length < shortest)
    throw new ConfigurationError(name, `is shorter than ${shortest} characters`, 'Use a long random text.');
  return text;
}

/** A secret that travels as a bearer token (RFC 6750, 2.1). */
export function readBearer(name: string, text: string | undefined): string | undefined {
  if (text !== undefined && !/^[A-Za-z0-9._~+/-]+=*$/.test(text)) {
    throw new ConfigurationError(
      name,
      'has characters that no bearer token can have',
      'Use letters, digits and - . _ ~ + / alone.',
    );
  }
  // Told by their heads from tokens of sessions and from those that are made here.
  if (text !== undefined && /^eyJ.*\.|^bop_/.test(text))
    throw new ConfigurationError(
      name,
      'begins as other tokens do',
      'Use a text of your own, long and random.',
    );
  return readSecret(name, text);
}

/** The private key that a service was given, with the name that both halves agree on. */
export function readServiceKey(name: string, text: string): NamedKey {
  const jwk = readSigningKey(name, text);
  return { ...jwk, ...publicHalf(jwk) };
}

export function readSigningKey(name: string, text: string): JWK {
  const remedy = 'Use a private Ed25519 key as JWK: {"kty":"OKP","crv":"Ed25519","d":"…","x":"…"}.';
  let jwk: unknown;
  try {
    jwk = JSON.parse(text);
  } catch {
    throw new ConfigurationError(name, 'is not JSON', remedy);
  }
  if (!isKeyPair(jwk)) throw new ConfigurationError(name, 'is not a private Ed25519 key', remedy);
  return jwk;
}

/** The public half must be that of the private one, or no session that it signs could be verified. */
function isKeyPair(jwk: unknown): jwk is JWK {
  const { kty, crv, x } = (jwk ?? {}) as JWK;
  if (kty !== 'OKP' || crv !== 'Ed25519') return false;
  try {
    const key = createPrivateKey({ key: jwk as never, format: 'jwk' });
    return createPublicKey(key).export({ format: 'jwk' }).x === x;
  } catch {
    return false;
  }
}
