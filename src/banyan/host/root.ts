// What a host that has the root key does by it beside opening the ring: the secret of the role passwords, and what is
// said where the root key is another one. Guarantees: a host with another root key changes nothing in the database.
import type pg from 'pg';
import type { Settings } from '../config/settings.ts';
import { ConfigurationError } from '../config/values.ts';
import { createRootKey, WrongRootKey } from '../identity/root-key.ts';
import { StoreUnavailable } from '../placement/store.ts';

type Given = Pick<Settings, 'rootKey' | 'signingKey' | 'internalKey'>;

/**
 * Of the root key alone. While services of the version before are let in (INTERNAL_KEY_LEGACY=1) it is the one that their
 * passwords were derived of, or they could open no connection any more: then of the password in `adminUrl` and SIGNING_KEY.
 */
export function roleSecretOf({ rootKey, signingKey, internalKey }: Given, adminUrl: string): string {
  if (internalKey !== undefined && signingKey) return `${new URL(adminUrl).password}|${signingKey.d}`;
  return createRootKey(rootKey!).roleSecret;
}

/** Before roles are given other passwords: whether this is the root key of the ring that is there. */
export async function refuseOtherRoot(client: pg.Client, { rootKey }: Given): Promise<void> {
  const { rows: there } = await client.query<{ ring: string | null }>(
    `SELECT to_regclass('banyan_control.key')::text AS ring`,
  );
  if (!there[0]?.ring) return;
  const { rows } = await client.query<{ kid: string; sealed: string }>(
    'SELECT kid, sealed FROM banyan_control.key WHERE sealed IS NOT NULL LIMIT 1',
  );
  try {
    for (const { kid, sealed } of rows) createRootKey(rootKey!).open(sealed, kid);
  } catch (error) {
    throw inWords(error);
  }
}

/** What an error of the ring, or of its database, says to whoever set ROOT_KEY. */
export function inWords(error: unknown): unknown {
  if (error instanceof WrongRootKey) return wrongRootKey(error.message);
  const cause = error instanceof StoreUnavailable ? (error.cause as { code?: string }) : undefined;
  // The password is derived of it.
  return cause?.code === '28P01' ? wrongRootKey('the role banyan_control has another password') : error;
}

function wrongRootKey(why: string): ConfigurationError {
  return new ConfigurationError(
    'ROOT_KEY',
    `is not the one of this database (${why})`,
    'Give every monolith and gateway of one database the same: the ROOT_KEY that the first was started with, or what stands in root-key of its DATA_DIR.',
  );
}
