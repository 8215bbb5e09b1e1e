// What each host of the shop is told: its environment, whole. Services get a key of their own module, the passwords of its roles, and
// nothing of monoliths. It must not know how hosts are started.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../../../stage/launch.ts';
import type { HostedServer } from './database.ts';
import type { NetHost, Network } from './network.ts';

/** Modules that have services here, each with the roles that it goes to its database as, by the end of their variable. */
const ROLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  orders: { ORDERS: 'banyan_orders' },
  catalog: { CATALOG: 'banyan_catalog' },
  payments: { PAYMENTS: 'banyan_payments', PAYMENTS_CARD_NETWORK: 'banyan_card_network' },
};

export const MODULES: readonly string[] = Object.keys(ROLES);

export const PUBLIC = 3000;
const INTERNAL = 4000;

export const moduleOf = (id: string): string => id.replace(/-\d+$/, '');
export const isService = (id: string): boolean => moduleOf(id) in ROLES;

const secret = () => randomBytes(24).toString('base64url');

export interface Parts {
  readonly network: Network;
  readonly database: HostedServer;
  /** Where each host has a DATA_DIR, and monoliths their pictures. */
  readonly folder: string;
  readonly brokerUrl: string;
  /** The monolith that services know. */
  readonly control: string;
}

export class Environments {
  readonly secrets = {
    ADMIN_TOKEN: secret(),
    ROOT_KEY: secret(),
    SIGNING_KEY: JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })),
  };
  readonly #parts: Parts;
  readonly #keys = new Map<string, string>();
  readonly #passwords = new Map<string, string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The key that was issued for a module. */
  keep(module: string, key: string): void {
    this.#keys.set(module, key);
  }

  of(id: string, host: NetHost): Env {
    const { network, database, folder, brokerUrl, control } = this.#parts;
    const dataDir = join(folder, host.name);
    mkdirSync(dataDir, { recursive: true });
    const own = {
      ...{ NODE_ENV: 'production', HOST: '0.0.0.0', BROKER_URL: brokerUrl },
      INSTANCE_ID: id,
      DATA_DIR: dataDir,
      INTERNAL_PORT: String(INTERNAL),
      ADVERTISE_URL: `http://${host.domain}:${INTERNAL}`,
    };
    if (isService(id))
      return {
        ...own,
        CONTROL_URL: `http://${network.domainOf(control)}:${INTERNAL}`,
        SERVICE_KEY: this.#keys.get(moduleOf(id))!,
        ...this.#moduleUrls([moduleOf(id)]),
      };
    const entrance = {
      ...own,
      ...this.secrets,
      PORT: String(PUBLIC),
      DATABASE_URL: database.urlFor(),
      RATE_LIMIT: '0',
      RATE_LIMIT_EXEMPT: network.cidr,
      // Longer than the entrance in front takes to notice.
      DRAIN_DELAY_MS: '1000',
    };
    if (id.startsWith('gateway')) return { ...entrance, MODULES: 'none' };
    return {
      ...entrance,
      SERVICE_NETWORKS: `${network.cidr},*.banyan.test`,
      STORAGE_URL: `file://${join(folder, 'media')}`,
      ...this.#moduleUrls(MODULES),
    };
  }

  /** Chosen here: monoliths set these passwords, services come with them. */
  #moduleUrls(modules: readonly string[]): Env {
    const all = modules.flatMap((module) => Object.entries(ROLES[module]!));
    return Object.fromEntries(
      all.map(([name, role]) => {
        const password = this.#passwords.get(role) ?? secret();
        this.#passwords.set(role, password);
        return [`DATABASE_URL_${name}`, this.#parts.database.urlFor(role, password)];
      }),
    );
  }
}
