// Everything a host is told by its environment, once read and validated. This file is the type alone, so
// that modules may name what they need of it; `src/banyan/config/environment.ts` reads it.
import type { JWK } from 'jose';
import type { NamedKey } from '../identity/keys.ts';
import type { Wish } from '../placement/wish.ts';
import type { App } from './app.ts';
import type { OtlpSettings } from './otlp.ts';
import type { OwnValue } from './values.ts';

export interface Settings {
  /** The product that this host runs. */
  readonly app: App;
  /** Of the product: derived from its folder, never a list kept by hand. */
  readonly allModules: readonly string[];
  /** What this host runs. `monolith`: all and the gateway; `gateway`: none; `service`: these modules only. */
  readonly role: 'monolith' | 'gateway' | 'service';
  readonly modules: readonly string[];
  /** `monolith`, or `<module>-<n>`: what x-served-by says. */
  readonly hostId: string;
  /** Of which release it is: RELEASE, else the product's version. */
  readonly release: string;
  readonly host: string;
  readonly port: number;
  /** Of /admin, where it is to have one of its own; 0: a free one. */
  readonly adminPort: number | undefined;
  readonly adminHost: string;
  /** Where the console is, such as `/console`; undefined: nowhere. */
  readonly console: string | undefined;
  /** 0: a free one. */
  readonly internalPort: number;
  readonly dataDir: string;
  /** Undefined: the embedded server. */
  readonly databaseUrl: string | undefined;
  /** DATABASE_URL_<MODULE>, by module. */
  readonly moduleDatabaseUrls: Readonly<Record<string, string>>;
  /** STORE_<NAME>_URL, by name in lower case: servers that stores can be on besides the shared one. */
  readonly storeUrls: Readonly<Record<string, string>>;
  /** Where the stores of modules are made that are nowhere yet: `shared`, `own`, or such a name. */
  readonly stores: Readonly<Record<string, string>>;
  /** Undefined, or POSTGRES_LOG on a service: the log in the database. */
  readonly brokerUrl: string | undefined;
  /** BROKER_URL_<MODULE>, by module: as whom its service speaks to Kafka. Only a monolith is told them. */
  readonly moduleBrokerUrls: Readonly<Record<string, string>>;
  /** The product's own settings, by name (`App.settings`). */
  readonly own: Readonly<Record<string, OwnValue>>;
  /** Undefined on a service, which knows it by its hash. */
  readonly adminToken: string | undefined;
  /** INTERNAL_KEY, while hosts of the version before are let in (INTERNAL_KEY_LEGACY=1); else undefined. */
  readonly internalKey: string | undefined;
  /** The private key of a service, by which others know it; undefined on monoliths and gateways: theirs is in the ring. */
  readonly serviceKey: NamedKey | undefined;
  /** Networks and names, besides loopback, where services may say that they are reached. */
  readonly serviceNetworks: readonly string[];
  /** The variables of secrets that were not set, so that this host made its own in DATA_DIR. */
  readonly madeHere: readonly string[];
  /** What the key ring is sealed by and role passwords are derived of; undefined on a service, which has neither. */
  readonly rootKey: string | undefined;
  /** The private key of sessions of the version before, which the key ring takes over; undefined: there is none. */
  readonly signingKey: JWK | undefined;
  readonly controlUrl: string | undefined;
  readonly advertiseUrl: string | undefined;
  readonly placements: Readonly<Record<string, Wish>>;
  readonly drainDelayMs: number;
  /** RESTORED=1: this start holds the log of events against all stores, though none seems to have been put back. */
  readonly restored: boolean;
  /** Addresses and CIDRs of proxies that are believed about their clients' addresses. */
  readonly trustProxy: readonly string[];
  /** Requests a second that one address may ask of the public port; 0: any number. */
  readonly rateLimit: number;
  /** Addresses and CIDRs, besides loopback, whose requests are not counted. */
  readonly rateLimitExempt: readonly string[];
  /** Where telemetry leaves this host; undefined: nowhere. */
  readonly otlp: OtlpSettings | undefined;
  /** Whom to tell of changes of ladders; it may hold a secret. */
  readonly notifyUrl: string | undefined;
  /** Where the security log goes: `stdout`, `stderr`, or the path of a file. */
  readonly securityLog: string;
  /** True under test: every near call goes through the JSON codec and outputs are checked. */
  readonly codec: boolean;
  /** A ref called inside an open store transaction throws (everywhere but in production). */
  readonly strict: boolean;
  /** What processes that this one starts inherit as they are: PATH, HOME, NODE_ENV and the like. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Logs are for people: a terminal is looking. */
  readonly pretty: boolean;
  /** Fault switches answer (BANYAN_FAULTS=1: only instances made for measuring have it). */
  readonly faults: boolean;
}
