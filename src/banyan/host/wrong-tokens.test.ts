// Wrong bearer tokens: counted by address, for all gateways; a right one always works.
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exemptions, type IsExempt } from '../limits/address.ts';
import { limitTables } from '../limits/tables.ts';
import type { ControlStore } from '../placement/store.ts';
import { type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import type { Placements } from '../routing/snapshot.ts';
import { createBearerCheck } from './bearer.ts';
import { countWrongTokens } from './wrong-tokens.ts';

const log = pino({ level: 'silent' });
const right = 'the-right-token-of-this-instance';
const placements = {
  current: { revoked: {} },
  refresh: async () => ({}),
} as unknown as Placements;
let server: ThrowawayServer;
let pool: pg.Pool;
let down = false;

beforeAll(async () => {
  server = await throwawayServer();
  pool = new pg.Pool({ connectionString: await server.database() });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  await pool.query(
    `CREATE SCHEMA banyan_control; SET search_path = banyan_control; ${limitTables()}; RESET search_path`,
  );
});
afterAll(async () => {
  await pool?.end();
  await server?.stop();
});

/** A gateway of its own on the control store of all. */
function gateway(isExempt: IsExempt = exemptions(), token = right) {
  const sql = {
    async query(text: string, values?: readonly unknown[]) {
      if (down) throw new Error('gone');
      const { rows, rowCount } = await pool.query(text, values as unknown[]);
      return { rows, rowCount: rowCount ?? 0 };
    },
  };
  const wrong = countWrongTokens({ sql } as unknown as ControlStore, isExempt, log);
  const check = createBearerCheck({ adminToken: token, keys: () => [], placements, onWrong: wrong });
  return async (sent: string, address: string) => {
    try {
      return (await check(sent, address)).kind;
    } catch (error) {
      return (error as { status: number }).status;
    }
  };
}

test('two gateways take ten wrong tokens of one address together, and its right one at any time', async () => {
  const [one, other] = [gateway(), gateway()];
  const statuses = await Promise.all(
    Array.from({ length: 30 }, (_, i) => (i % 2 ? one : other)(`wrong-${i}`, '192.0.2.1')),
  );
  expect(statuses.filter((status) => status === 401)).toHaveLength(10);
  expect(statuses.filter((status) => status === 429)).toHaveLength(20);
  expect(await one(right, '192.0.2.1')).toBe('operator');
  expect(await one('wrong', '192.0.2.2')).toBe(401);
});

test('loopback is exempt by default and not by a predicate of its own', async () => {
  const guess = async (ask: ReturnType<typeof gateway>) =>
    new Set(await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`wrong-${i}`, '127.0.0.1'))));
  expect(await guess(gateway())).toEqual(new Set([401]));
  expect(await guess(gateway(() => false))).toEqual(new Set([401, 429]));
});

test('sessions that ran out are no guesses; what only looks dotted is', async () => {
  const old = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.AAAA';
  const ask = gateway(exemptions(), 'right.with.dots');
  for (let i = 0; i < 15; i += 1) expect(await ask(old, '192.0.2.3')).toBe(401);
  const guesses = await Promise.all(Array.from({ length: 15 }, (_, i) => ask(`no.${i}`, '192.0.2.3')));
  expect(new Set(guesses)).toEqual(new Set([401, 429]));
  expect(await ask('right.with.dots', '192.0.2.3')).toBe('operator');
});

test('without the store a wrong token is wrong, and a right one right', async () => {
  down = true;
  const ask = gateway();
  expect([await ask('wrong', '192.0.2.9'), await ask(right, '192.0.2.9')]).toEqual([401, 'operator']);
  down = false;
});
