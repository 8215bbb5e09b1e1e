// The steps of a key's life after it was made, each one change of the control tables: announced, present, old, gone.
// Guarantees: of each kind and name one key is present; a step that was done already does nothing.
// When each step may be taken is known elsewhere (key-rotation.ts).

import { type NamedKey, publicHalf } from '../identity/keys.ts';
import type { RootKey } from '../identity/root-key.ts';
import type { Sql } from '../store/store.ts';
import { writeAct } from './act-rows.ts';
import type { Change } from './change.ts';
import { generated, insertKey, madeKey } from './key-ring.ts';
import type { KeyPurpose } from './tables.ts';

/** For so many seconds after a key was replaced something that was made with it may still come. */
export type KeyLife = Readonly<Record<KeyPurpose, number>>;

export interface Announced {
  /** The version that a host's picture must have for it to know the keys. */
  readonly version: number;
  readonly kids: readonly string[];
}

/** Keys whose private halves only their owners have are replaced by those. */
const REPLACEABLE = 'retired_at IS NULL AND sealed IS NOT NULL';

export interface Revoked {
  readonly outcome: 'revoked' | 'unknown' | 'present';
  /** The version that a host's picture must have for it to know nothing of the key any more. */
  readonly version: number;
}

export interface KeyTurns {
  /** Every key of that purpose gets a successor, unless one is announced already. */
  announce(root: RootKey, purpose: KeyPurpose, by: string): Promise<Announced>;
  /** These sign from now on, and those before them no more. Answers the version. */
  turn(kids: readonly string[], by: string): Promise<number>;
  /** A key whose private half is its owner's alone: the public one is taken in. */
  issue(name: string, modules: readonly string[], key: NamedKey, by: string): Promise<void>;
  /** An internal key that is not given to anybody any more, or was issued, goes at once, and with it whoever speaks by it. */
  revoke(kid: string, by: string): Promise<Revoked>;
  /** Old internal keys go at once, but for those by which a process that a monolith keeps still speaks. */
  forget(): Promise<void>;
  /** What has been old for so long goes. */
  sweep(life: KeyLife): Promise<void>;
}

export function createKeyTurns(sql: Sql, change: Change): KeyTurns {
  return {
    async announce(root, purpose, by) {
      let announced: Awaited<ReturnType<typeof announceIn>> = { kids: [], made: false };
      const version = await change(async (tx) => {
        announced = await announceIn(tx, root, purpose, by);
        return announced.made;
      });
      return { version, kids: announced.kids };
    },

    turn: (kids, by) =>
      change(async (tx) => {
        const { rows } = await tx.query<{ purpose: KeyPurpose; name: string }>(
          `UPDATE key SET signs_from = clock_timestamp() WHERE kid = ANY ($1) AND signs_from IS NULL
           RETURNING purpose, name`,
          [kids],
        );
        for (const { purpose, name } of rows) {
          const { rows: old } = await tx.query<{ kid: string }>(
            `UPDATE key SET retired_at = clock_timestamp() WHERE purpose = $1 AND name = $2
             AND signs_from IS NOT NULL AND NOT (kid = ANY ($3)) AND ${REPLACEABLE} RETURNING kid`,
            [purpose, name, kids],
          );
          const what = `put another key in place of one of ${name} (${purpose})`;
          for (const { kid } of old) await writeAct(tx, { source: 'key', by, what, detail: { kid } });
        }
        return rows.length > 0;
      }),

    issue: async (name, modules, key, by) => {
      await change(async (tx) => {
        await tx.query(
          `INSERT INTO key (kid, purpose, name, modules, public, signs_from)
           VALUES ($1, 'internal', $2, $3, $4, now())`,
          [key.kid, name, modules, JSON.stringify(publicHalf(key))],
        );
        await writeAct(tx, madeKey({ purpose: 'internal', name, modules }, key.kid, by));
        return true;
      });
    },

    async revoke(kid, by) {
      let outcome: Revoked['outcome'] = 'unknown';
      const version = await change(async (tx) => {
        outcome = await revokeIn(tx, kid, by);
        return outcome === 'revoked';
      });
      return { outcome, version };
    },

    forget: async () => {
      await change(async (tx) => {
        const { rowCount } = await tx.query(
          `DELETE FROM key WHERE purpose = 'internal' AND retired_at IS NOT NULL
           AND NOT EXISTS (
             SELECT FROM host JOIN service ON host.id = service.module || '-' || service.number
             WHERE host.kid = key.kid AND live AND role = 'service' AND (replaceable
               OR host.machine = service.machine AND host.pid = service.pid AND host.started = service.started))`,
        );
        return rowCount > 0;
      });
    },

    async sweep(life) {
      const gone = `retired_at < now() - make_interval(secs => ($1::jsonb ->> purpose)::float8)`;
      const values = [JSON.stringify(life)];
      if ((await sql.query(`SELECT FROM key WHERE ${gone} LIMIT 1`, values)).rowCount === 0) return;
      await change(async (tx) => (await tx.query(`DELETE FROM key WHERE ${gone}`, values)).rowCount > 0);
    },
  };
}

async function revokeIn(tx: Sql, kid: string, by: string): Promise<Revoked['outcome']> {
  const { rows } = await tx.query<{ present: boolean; name: string }>(
    `SELECT sealed IS NOT NULL AND retired_at IS NULL AS present, name FROM key
     WHERE kid = $1 AND purpose = 'internal'`,
    [kid],
  );
  if (!rows[0]) return 'unknown';
  if (rows[0].present) return 'present';
  await tx.query('DELETE FROM key WHERE kid = $1', [kid]);
  await tx.query(`DELETE FROM host WHERE kid = $1 AND role = 'service'`, [kid]);
  const what = `revoked a key of ${rows[0].name} (internal)`;
  await writeAct(tx, { source: 'key', by, what, detail: { kid } });
  return 'revoked';
}

/** Answers the successors, and whether any was made now. */
async function announceIn(
  tx: Sql,
  root: RootKey,
  purpose: KeyPurpose,
  by: string,
): Promise<{ readonly kids: string[]; readonly made: boolean }> {
  const { rows } = await tx.query<{ name: string; modules: string[]; announced: string | null }>(
    `SELECT name, modules, (SELECT max(kid) FROM key n
       WHERE n.name = key.name AND n.purpose = key.purpose AND n.signs_from IS NULL) AS announced
     FROM key WHERE purpose = $1 AND signs_from IS NOT NULL AND ${REPLACEABLE}`,
    [purpose],
  );
  const kids: string[] = [];
  let made = false;
  for (const { announced, ...slot } of rows) {
    const key = announced === null ? generated({ purpose }) : undefined;
    if (key) await insertKey(tx, { purpose, ...slot }, key, root, { signs: false, by });
    made ||= key !== undefined;
    kids.push(announced ?? key!.kid);
  }
  return { kids, made };
}
