// The key ring in the control store: made once for an installation, by whichever monolith is first, and read by
// monoliths and gateways. Guarantees: several that start at once agree, since what is missing is made under the version
// lock; nothing is made or changed by a host whose root key does not open what is there already.
import type { JWK } from 'jose';
import { MONOLITH } from '../identity/internal-token.ts';
import { generateSealKey, generateSigningKey, type NamedKey, publicHalf } from '../identity/keys.ts';
import type { RootKey } from '../identity/root-key.ts';
import type { Sql } from '../store/store.ts';
import { type Act, writeAct } from './act-rows.ts';
import type { Change } from './change.ts';
import type { Key } from './key-contract.ts';
import { type KeyPurpose, PRESENT_FIRST_SQL } from './tables.ts';

export interface RingContent {
  /** The modules of the product, and which others each of them calls. */
  readonly modules: Readonly<Record<string, readonly string[]>>;
  /** The module that signs sessions, if there is one. */
  readonly signer: string | undefined;
  /** The session key of the version before, so that no session ends. */
  readonly imported: JWK | undefined;
}

export interface KeyRing {
  /** Makes what is missing. Answers the private halves. Throws WrongRootKey. */
  open(root: RootKey, content: RingContent): Promise<NamedKey[]>;
  /** The private halves that lie in the ring. Throws WrongRootKey. */
  read(root: RootKey): Promise<NamedKey[]>;
  /** What may be shown of it. */
  list(): Promise<Key[]>;
}

interface Slot {
  readonly purpose: KeyPurpose;
  readonly name: string;
  readonly modules: readonly string[];
}

interface Row extends Pick<Slot, 'purpose' | 'name'> {
  readonly kid: string;
  readonly sealed: string | null;
}

export function createKeyRing(sql: Sql, change: Change): KeyRing {
  return {
    read: async (root) => opened(root, await rowsOf(sql)),

    list: async () => (await sql.query<Key>(LIST_SQL)).rows,

    async open(root, content) {
      const { missing, modules, rows } = await look(sql, content);
      const keys = opened(root, rows);
      if (missing.length === 0 && modules.length === 0) return keys;
      await change((tx) => make(tx, root, content));
      return opened(root, await rowsOf(sql));
    },
  };
}

async function make(tx: Sql, root: RootKey, content: RingContent): Promise<boolean> {
  const { missing, modules } = await look(tx, content);
  for (const slot of missing) {
    const key = slot.purpose === 'session' && content.imported ? whole(content.imported) : generated(slot);
    await insertKey(tx, slot, key, root, { signs: true, by: null });
  }
  for (const name of modules)
    await tx.query(
      'INSERT INTO module (name, uses) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET uses = excluded.uses',
      [name, content.modules[name]],
    );
  // Monoliths run all there are.
  await tx.query(`UPDATE key SET modules = $2 WHERE purpose = 'internal' AND name = $1 AND modules <> $2`, [
    MONOLITH,
    Object.keys(content.modules),
  ]);
  return missing.length > 0 || modules.length > 0;
}

async function look(sql: Sql, content: RingContent) {
  const rows = await rowsOf(sql);
  const has = ({ purpose, name }: Slot) => rows.some((row) => row.purpose === purpose && row.name === name);
  const { rows: known } = await sql.query<{ name: string; uses: string[] }>('SELECT name, uses FROM module');
  const uses = new Map(known.map((row) => [row.name, row.uses.join()]));
  const modules = Object.keys(content.modules).filter(
    (name) => uses.get(name) !== content.modules[name]!.join(),
  );
  return { rows, missing: slotsOf(content).filter((slot) => !has(slot)), modules };
}

/** Every key that a ring has from its beginning. */
function slotsOf({ modules, signer }: RingContent): Slot[] {
  const all = Object.keys(modules);
  return [
    ...(signer === undefined ? [] : [{ purpose: 'session' as const, name: signer, modules: [signer] }]),
    { purpose: 'internal', name: MONOLITH, modules: all },
    ...all.map((name) => ({ purpose: 'internal' as const, name, modules: [name] })),
    ...all.map((name) => ({ purpose: 'seal' as const, name, modules: [name] })),
  ];
}

export const generated = ({ purpose }: Pick<Slot, 'purpose'>) =>
  purpose === 'seal' ? generateSealKey() : generateSigningKey();

const whole = (jwk: JWK): NamedKey => ({ ...jwk, ...publicHalf(jwk) });

/** For the audit. */
export const madeKey = ({ purpose, name, modules }: Slot, kid: string, by: string | null): Act => ({
  source: 'key',
  by,
  what: `made a key of ${name} (${purpose})`,
  detail: { kid, modules },
});

/** `signs`: at once; else it is announced. `by`: null for a host by itself. */
export async function insertKey(
  tx: Sql,
  slot: Slot,
  key: NamedKey,
  root: RootKey,
  { signs, by }: { readonly signs: boolean; readonly by: string | null },
): Promise<void> {
  const { purpose, name, modules } = slot;
  await tx.query(
    `INSERT INTO key (kid, purpose, name, modules, public, sealed, signs_from)
     VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $7 THEN now() END)`,
    [key.kid, purpose, name, modules, JSON.stringify(publicHalf(key)), root.seal(key), signs],
  );
  await writeAct(tx, madeKey(slot, key.kid, by));
}

const timeOf = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const LIST_SQL = `SELECT kid, purpose, name, modules, sealed IS NULL AS issued, ${timeOf('made_at')} AS "madeAt",
  ${timeOf('signs_from')} AS "signsFrom", ${timeOf('retired_at')} AS "retiredAt"
  FROM key ORDER BY purpose DESC, name, ${PRESENT_FIRST_SQL}`;

async function rowsOf(sql: Sql): Promise<Row[]> {
  const { rows } = await sql.query<Row>('SELECT kid, purpose, name, sealed FROM key');
  return rows;
}

function opened(root: RootKey, rows: readonly Row[]): NamedKey[] {
  return rows.flatMap(({ kid, sealed }) => (sealed === null ? [] : [root.open(sealed, kid)]));
}
