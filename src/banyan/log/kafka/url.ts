// What a broker URL says: where the brokers are, whether by TLS and whose certificates are believed, as whom and by which
// mechanism. Reading one touches no network; a mistake is what is wrong and what to do, and never holds the URL, which may
// have a password in it. It knows nothing of kafkajs, so that the environment is read without it.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface BrokerAddress {
  readonly brokers: readonly string[];
  readonly tls: boolean;
  /** The file of the certificates that are believed, PEM; undefined: those that Node believes. */
  readonly ca?: string;
  readonly user?: string;
  readonly password?: string;
  /** Default: `plain`. Only with a user. */
  readonly mechanism?: Mechanism;
}

export const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
export type Mechanism = (typeof mechanisms)[number];

const FORM = 'kafka[s]://[user:pass@]h1:9092,h2:9092[/?mechanism=scram-sha-512&ca=/path/ca.pem]';

/** `wrong` follows the name of whatever holds the URL. */
export class BrokerUrlError extends Error {
  readonly wrong: string;
  readonly remedy: string;
  constructor(wrong: string, remedy: string) {
    super(`The broker URL ${wrong}. ${remedy}`);
    this.name = 'BrokerUrlError';
    this.wrong = wrong;
    this.remedy = remedy;
  }
}

/** Throws a BrokerUrlError. */
export function parseBrokerUrl(url: string): BrokerAddress {
  const match = /^kafka(s?):\/\/(?:([^@/\s]*)@)?([^@/?#\s]+)\/?(?:\?([^#\s]*))?$/.exec(url);
  const brokers = match?.[3]?.split(',');
  if (!match || !brokers?.every(isAddress)) {
    const remedy = `Use a form such as ${FORM}; in the user and the password write @ as %40 and / as %2F.`;
    throw new BrokerUrlError('is not a broker list', remedy);
  }
  const tls = match[1] === 's';
  const who = match[2] === undefined ? {} : credentials(match[2]);
  return { brokers, tls, ...who, ...parameters(match[4] ?? '', tls, 'user' in who) };
}

function isAddress(broker: string): boolean {
  const port = Number(/^(?:\[[0-9a-f:.]+\]|[^:,]+):(\d{1,5})$/i.exec(broker)?.[1]);
  return port >= 1 && port <= 65_535;
}

function credentials(text: string): Required<Pick<BrokerAddress, 'user' | 'password'>> {
  const colon = text.indexOf(':');
  if (colon < 1)
    throw new BrokerUrlError('has a user without a password', 'Use both, as user:pass@, or neither.');
  try {
    return {
      user: decodeURIComponent(text.slice(0, colon)),
      password: decodeURIComponent(text.slice(colon + 1)),
    };
  } catch {
    throw new BrokerUrlError(
      'has a % in its user or password that stands for nothing',
      'Use percent-encoding there: a % itself is %25.',
    );
  }
}

function parameters(query: string, tls: boolean, hasUser: boolean): Pick<BrokerAddress, 'mechanism' | 'ca'> {
  const given = new URLSearchParams(query);
  for (const name of given.keys()) {
    const times = given.getAll(name).length;
    if (name !== 'mechanism' && name !== 'ca')
      throw new BrokerUrlError(`has a parameter that is not known`, 'Use mechanism and ca alone.');
    if (times > 1) throw new BrokerUrlError(`has ${name} ${times} times`, 'Use it once.');
  }
  const ca = given.get('ca');
  if (ca !== null && !tls)
    throw new BrokerUrlError('has a ca and no TLS', 'Use kafkas:// with it, or leave ca out.');
  if (ca === '') throw new BrokerUrlError('has an empty ca', 'Use the path of a PEM file, or leave ca out.');
  return { ...mechanismOf(given.get('mechanism'), hasUser), ...(ca === null ? {} : { ca }) };
}

function mechanismOf(text: string | null, hasUser: boolean): Pick<BrokerAddress, 'mechanism'> {
  if (text === null) return {};
  const mechanism = mechanisms.find((one) => one === text.toLowerCase());
  if (!mechanism)
    throw new BrokerUrlError('has a mechanism that is not known', `Use ${mechanisms.join(', ')}.`);
  if (!hasUser)
    throw new BrokerUrlError(
      'has a mechanism and no user',
      'Use user:pass@ in front of the brokers with it, or leave mechanism out.',
    );
  return { mechanism };
}

/** The certificates of the file. Throws a BrokerUrlError where it has none. */
export function readCa({ ca }: Pick<BrokerAddress, 'ca'>): string | undefined {
  if (ca === undefined) return undefined;
  const remedy = 'Use the path of a PEM file with certificates that this process may read.';
  let text: string;
  try {
    text = readFileSync(ca, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BrokerUrlError(`has a ca that cannot be read (${code}): ${JSON.stringify(ca)}`, remedy);
  }
  try {
    new X509Certificate(text);
  } catch {
    throw new BrokerUrlError(`has a ca that holds no certificate: ${JSON.stringify(ca)}`, remedy);
  }
  return text;
}
