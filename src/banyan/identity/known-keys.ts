// The public keys by which other hosts are known, out of the picture of the moment: whose a key is, by its kid. When
// the keys of a picture are others than before, whoever keeps what they proved is told. One that is not known makes
// this host look at the picture once more: all that ask meanwhile share that look, so that made-up names of keys
// cannot make a storm of them. It knows no token.
import type { CryptoKey } from 'jose';
import type { NamedKey } from './keys.ts';

/** What the picture says of a service: its public keys, the modules that it runs, those that it may call. */
export interface KnownService {
  readonly keys: readonly Readonly<KeyOfService>[];
  readonly modules: readonly string[];
  readonly uses: readonly string[];
}

export type KnownServices = Readonly<Record<string, KnownService>>;

/** A key as the picture has it. */
export interface KeyOfService extends NamedKey {
  /** What it was made for, where its service has keys for more. */
  readonly for?: Pick<KnownService, 'modules' | 'uses'>;
}

/** What who speaks by that key may run and call: what the key was made for, not what others of its name are. */
export function knownBy(
  services: KnownServices,
  { caller, kid }: { readonly caller: string; readonly kid: string | undefined },
): Pick<KnownService, 'modules' | 'uses'> | undefined {
  const known = Object.hasOwn(services, caller) ? services[caller] : undefined;
  return known?.keys.find((key) => key.kid === kid)?.for ?? known;
}

export interface KnownKey {
  readonly kid: string;
  /** The name of the service that the key belongs to: `monolith`, or a service's. */
  readonly name: string;
  readonly key: CryptoKey;
}

export interface KnownKeysOptions {
  /** Of the present picture. */
  readonly services: () => KnownServices;
  /** Looks whether there is a newer one. */
  readonly refresh: () => Promise<unknown>;
  /** A key came or went. */
  readonly onChange: () => void;
}

/** Between two looks for keys that are not known, and how many may wait for the next. */
const LOOK_EVERY_MS = 500;
const MAX_WAITING = 1000;

interface Entry {
  readonly name: string;
  readonly jwk: NamedKey;
  known: Promise<KnownKey> | undefined;
}

export class KnownKeys {
  readonly #options: KnownKeysOptions;
  #seen: KnownServices | undefined;
  #text = '';
  #entries = new Map<string, Entry>();
  #looking: Promise<unknown> | undefined;
  #waiting = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: KnownKeysOptions) {
    this.#options = options;
  }

  /** Takes note of the present picture; a comparison of two references where it is the same. */
  look(): void {
    const services = this.#options.services();
    if (services === this.#seen) return;
    this.#seen = services;
    const keys = Object.entries(services).flatMap(([name, { keys }]) => keys.map((jwk) => ({ name, jwk })));
    const text = JSON.stringify(keys);
    if (text === this.#text) return;
    this.#text = text;
    this.#entries = new Map(keys.map(({ name, jwk }) => [jwk.kid, { name, jwk, known: undefined }]));
    this.#options.onChange();
  }

  has(kid: string): boolean {
    this.look();
    return this.#entries.has(kid);
  }

  /** Undefined: the newest picture does not know it either. */
  async find(kid: string): Promise<KnownKey | undefined> {
    if (!this.has(kid)) await this.#lookOnce();
    this.look();
    const entry = this.#entries.get(kid);
    if (!entry) return undefined;
    entry.known ??= imported(kid, entry);
    return entry.known;
  }

  async #lookOnce(): Promise<void> {
    if (this.#waiting >= MAX_WAITING) return;
    this.#waiting += 1;
    try {
      this.#looking ??= this.#next().finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #next(): Promise<void> {
    const early = this.#lookedAt + LOOK_EVERY_MS - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    this.#lookedAt = performance.now();
    await this.#options.refresh();
  }
}

async function imported(kid: string, { name, jwk: { kty, crv, x } }: Entry): Promise<KnownKey> {
  const { importJWK } = await import('jose');
  const jwk = { kty: kty!, crv, x };
  return { kid, name, key: (await importJWK(jwk, 'EdDSA')) as CryptoKey };
}
