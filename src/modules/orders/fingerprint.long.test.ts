// Fingerprints of requests: alike on every host, kept so that nobody can try tokens, and those of the version before with them.
import { createHash } from 'node:crypto';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateSealKey, publicHalf } from '../../banyan/identity/keys.ts';
import { SealBroken, sealText, unsealText } from '../../banyan/identity/seal.ts';
import { provision } from '../../banyan/postgres/provision.ts';
import { roleUrl, runtimeRole } from '../../banyan/postgres/roles.ts';
import { query, silent, type ThrowawayServer, throwawayServer } from '../../banyan/postgres/testing.ts';
import { createPool, sqlOf } from '../../banyan/store/create.ts';
import { Fingerprints } from './fingerprint.ts';

const secret = 'a secret of this test';
const prisma = new URL('../../../prisma/', import.meta.url);
const key = generateSealKey();
let server: ThrowawayServer;
let adminUrl: string;
let pool: ReturnType<typeof createPool>;

beforeAll(async () => {
  server = await throwawayServer();
  adminUrl = await server.database();
  await provision({
    adminUrl,
    secret,
    modules: ['orders'],
    prisma,
    schemas: [],
    moduleDdl: () => '',
    log: silent,
  });
  pool = createPool(roleUrl(adminUrl, secret, runtimeRole('orders')), 'orders', silent, 4);
}, 60_000);
afterAll(async () => {
  await pool?.end();
  await server?.stop();
});

const host = (own = key) =>
  new Fingerprints({
    store: { sql: sqlOf(pool) } as never,
    seal: (text) => sealText(text, publicHalf(own)),
    unseal: (text) => unsealText(text, async (kid) => (kid === own.kid ? own : undefined)),
  });
const request = (paymentToken = 'tok_ok') => ({ lines: [{ productId: v7(), quantity: 2 }], paymentToken });
const bare = ({ lines, paymentToken }: ReturnType<typeof request>) =>
  createHash('sha256')
    .update(JSON.stringify([paymentToken, ...lines.map((line) => [line.productId, line.quantity])]))
    .digest('hex');

test('hosts that start at once have one key, which is sealed where it lies; another start has it, too', async () => {
  const one = request();
  const seen = await Promise.all(Array.from({ length: 4 }, () => host().of(one)));
  expect(new Set([...seen, await host().of(one)]).size).toBe(1);
  expect(await host().of({ ...one, paymentToken: 'tok_declined' })).not.toBe(seen[0]);
  const kept = await query(adminUrl, 'SELECT sealed FROM orders.fingerprint_keys');
  expect(kept).toEqual([{ sealed: expect.stringMatching(/^eyJ[\w-]+(\.[\w-]+){4}$/) }]);
});

test('a digest of the version before counts, and is keyed in its place', async () => {
  const [mine, many] = [request(), 501];
  const user = v7();
  await query(
    adminUrl,
    `INSERT INTO orders.idempotency_keys (user_id, key, fingerprint, order_id, answer, created_at)
     SELECT $1, 'key-' || n, $2, gen_random_uuid(), '{}', now() FROM generate_series(1, ${many}) AS n`,
    [user, bare(mine)],
  );
  const here = host();
  expect(await here.isOf(bare(mine), mine)).toBe(true);
  expect(await here.isOf(bare(mine), { ...mine, paymentToken: 'tok_declined' })).toBe(false);
  expect([await here.keyOld(), await here.keyOld(), await here.keyOld()]).toEqual([true, false, false]);
  const rows = await query(
    adminUrl,
    'SELECT fingerprint, count(*)::int FROM orders.idempotency_keys GROUP BY 1',
  );
  expect(rows).toEqual([{ fingerprint: await host().of(mine), count: many }]);
  expect(rows[0]!.fingerprint).not.toContain(bare(mine));
  expect(await here.isOf(String(rows[0]!.fingerprint), mine)).toBe(true);
});

test('where the key that it was sealed with has gone, there is another one, alike on every host', async () => {
  const [one, next] = [request(), generateSealKey()];
  const before = await host().of(one);
  const lost = await query(adminUrl, 'SELECT sealed FROM orders.fingerprint_keys');
  await expect(unsealText(String(lost[0]!.sealed), async () => undefined)).rejects.toThrow(SealBroken);
  const seen = await Promise.all(Array.from({ length: 4 }, () => host(next).of(one)));
  expect(new Set([...seen, await host(next).of(one)]).size).toBe(1);
  expect(seen[0]).not.toBe(before);
});
