// As whom a test, a bench or a comparison speaks to hosts of an installation: by a key of its ring, which whoever has
// the database and the root key can read. It starts nothing and changes nothing.
import { pino } from 'pino';
import { createInternalTokens, type InternalTokens } from '../src/banyan/identity/internal-token.ts';
import type { NamedKey } from '../src/banyan/identity/keys.ts';
import { createRootKey } from '../src/banyan/identity/root-key.ts';
import { snapshotOf } from '../src/banyan/placement/picture.ts';
import { createControlStore } from '../src/banyan/placement/store.ts';

export interface Installation {
  /** A URL that may read the control tables: the superuser's. */
  readonly databaseUrl: string;
  readonly rootKey: string;
}

/** The private key that a host of this name signs by. */
export async function serviceKeyOf({ databaseUrl, rootKey }: Installation, name: string): Promise<NamedKey> {
  const store = createControlStore({ url: databaseUrl, log: pino({ level: 'silent' }) });
  try {
    const { services = {} } = snapshotOf(await store.read());
    const kids = services[name]?.keys.map(({ kid }) => kid) ?? [];
    const held = await store.keys.read(createRootKey(rootKey));
    const key = held.find(({ kid }) => kids[0] === kid);
    if (!key) throw new Error(`the ring has no private key of ${name}`);
    return key;
  } finally {
    await store.close();
  }
}

/** Tokens of a host of this name. They are made here, and verified elsewhere. */
export async function tokensAs(installation: Installation, name: string): Promise<InternalTokens> {
  const key = await serviceKeyOf(installation, name);
  return createInternalTokens({ self: name, key: () => key, services: () => ({}), refresh: async () => {} });
}
