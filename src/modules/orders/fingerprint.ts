// What makes two requests the same request: a keyed digest of the body in canonical form, kept with its Idempotency-Key.
// Equal whatever the order of fields, the white space or the case of an id. Keyed, because the card's token is in it: who
// has the table, or a copy of it, cannot try tokens. The key stands in a table of orders, sealed for orders alone.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isTrial, type Store } from '#banyan';
import type { PlaceOrder } from './service.ts';

type Cipher = (text: string) => Promise<string>;

export interface FingerprintParts {
  readonly store: Store;
  /** For orders itself, and back. */
  readonly seal: Cipher;
  readonly unseal: Cipher;
}

type Request = Pick<PlaceOrder, 'lines' | 'paymentToken'>;

const KEYED = 'k1.';
/** So many rows of the version before are keyed at a time. */
const BATCH = 500;

export class Fingerprints {
  readonly #parts: FingerprintParts;
  #key: Promise<Buffer> | undefined;

  constructor(parts: FingerprintParts) {
    this.#parts = parts;
  }

  async of(request: Request): Promise<string> {
    return keyed(await this.#theKey(), plain(request));
  }

  /** One-off: rows of the version before have the bare digest. True: there may be more. */
  async keyOld(): Promise<boolean> {
    const { sql } = this.#parts.store;
    const { rows } = await sql.query<{ user_id: string; key: string; fingerprint: string }>(
      `SELECT user_id, key, fingerprint FROM idempotency_keys WHERE fingerprint NOT LIKE '${KEYED}%' LIMIT ${BATCH}`,
    );
    if (rows.length === 0) return false;
    const secret = await this.#theKey();
    await sql.query(
      `UPDATE idempotency_keys AS k SET fingerprint = n.keyed
       FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n (user_id, key, keyed)
       WHERE k.user_id = n.user_id AND k.key = n.key AND k.fingerprint NOT LIKE '${KEYED}%'`,
      [
        rows.map((row) => row.user_id),
        rows.map((row) => row.key),
        rows.map((row) => keyed(secret, row.fingerprint)),
      ],
    );
    return rows.length === BATCH;
  }

  /** Whether a stored fingerprint is of the same request. */
  async isOf(stored: string, request: Request): Promise<boolean> {
    return stored === (stored.startsWith(KEYED) ? await this.of(request) : plain(request));
  }

  #theKey(): Promise<Buffer> {
    // A key that a trial makes is rolled back: nobody keeps it.
    if (isTrial()) return this.#key ?? this.#load();
    this.#key ??= this.#load().catch((error) => {
      this.#key = undefined;
      throw error;
    });
    return this.#key;
  }

  /**
   * The first host makes it. Each start seals it anew, so that it is sealed with a key of today. Where the key that it was
   * sealed with has gone all the same (a key ring was lost), there is another one: orders are placed, and repeated requests
   * of before are taken for others.
   */
  async #load(): Promise<Buffer> {
    const { store, seal, unseal } = this.#parts;
    const { sql } = store;
    await sql.query(
      `INSERT INTO fingerprint_keys (id, sealed, sealed_at) VALUES (1, $1, now()) ON CONFLICT DO NOTHING`,
      [await seal(randomBytes(32).toString('base64url'))],
    );
    const kept = await this.#sealed();
    const key = await unseal(kept).catch(async (error: unknown) => {
      if ((error as Error).name !== 'SealBroken') throw error;
      await this.#replace(kept);
      return unseal(await this.#sealed());
    });
    await sql.query('UPDATE fingerprint_keys SET sealed = $1, sealed_at = now() WHERE id = 1', [
      await seal(key),
    ]);
    return Buffer.from(key, 'base64url');
  }

  async #sealed(): Promise<string> {
    const { rows } = await this.#parts.store.sql.query<{ sealed: string }>(
      'SELECT sealed FROM fingerprint_keys WHERE id = 1',
    );
    return rows[0]!.sealed;
  }

  /** By one host: the others take what it made. */
  async #replace(lost: string): Promise<void> {
    const { store, seal } = this.#parts;
    await store.sql.query(
      'UPDATE fingerprint_keys SET sealed = $1, sealed_at = now() WHERE id = 1 AND sealed = $2',
      [await seal(randomBytes(32).toString('base64url')), lost],
    );
  }
}

function keyed(key: Buffer, digest: string): string {
  return KEYED + createHmac('sha256', key).update(digest).digest('base64url');
}

/** As the version before kept it. */
function plain({ lines, paymentToken }: Request): string {
  const canonical = [paymentToken, ...lines.map((line) => [line.productId.toLowerCase(), line.quantity])];
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex');
}
