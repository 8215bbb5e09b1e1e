// Somebody broke into one service: media-1, of a shop with media and orders extracted. They hold its environment as the
// kernel has it, and nothing else, and try whatever they can think of (attempts/). Guarantees: every attempt is refused, or
// its victim is as before; where a host saw it, its security log says so. What is out of this is in docs/security.md.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../shop.ts';
import { type Attempt, Refused } from './attempt.ts';
import { everyCall } from './attempts/calls.ts';
import { control } from './attempts/control.ts';
import { database } from './attempts/database.ts';
import { harm } from './attempts/harm.ts';
import { machine } from './attempts/machine.ts';
import { money } from './attempts/money.ts';
import { sessions } from './attempts/sessions.ts';
import { environmentOf, Thief } from './thief.ts';
import { Victim } from './victim.ts';

const victim = new Victim();
let thief: Thief;

beforeAll(async () => {
  await victim.open();
  thief = new Thief(environmentOf(await victim.pidOf('media-1')), victim.shop.url);
}, 120_000);
afterAll(async () => {
  await thief?.close();
  await victim.close();
});

/** A security log counts what repeats itself, and says the count once a minute (banyan/telemetry/repeated.ts). */
const MINUTE_MS = 60_000;
const OF_ONE_SOURCE = 20;
let counted = 0;

async function isSeen(before: number): Promise<void> {
  const looksNew = () => {
    const lines = victim.securityLog();
    const since = Date.now() - MINUTE_MS;
    const repeated = lines.filter((line) => line.outcome !== 'ok' && Date.parse(String(line.time)) > since);
    if (lines.length > before) return;
    expect(repeated.length, 'lines in the security log, and none of them new').toBeGreaterThanOrEqual(
      OF_ONE_SOURCE,
    );
    counted += 1;
  };
  await eventually(looksNew, 3_000);
}

async function make({ tries, seen, moves }: Attempt): Promise<void> {
  const before = await eventually(() => victim.photograph());
  const logged = victim.securityLog().length;
  let got: string | undefined;
  try {
    got = await tries(thief, victim);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  expect(got, 'what the attacker got').toBeUndefined();
  if (!moves) await eventually(async () => expect(await victim.photograph()).toEqual(before), 5_000);
  if (seen) await isSeen(logged);
}

const tables = { database, money, control, calls: everyCall, sessions, harm, machine };
for (const [name, attempts] of Object.entries(tables))
  describe(name, () => {
    for (const attempt of attempts) test(attempt.name, () => make(attempt), 120_000);
  });

test('no role of any module has more than its own schema, the doors of the log, and what ends sessions', async () => {
  const roles = `pg_roles r WHERE r.rolcanlogin AND r.rolname ~ '^banyan_' AND r.rolname NOT IN ('banyan_log', 'banyan_control')`;
  const elsewhere = `nspname NOT IN ('pg_catalog', 'information_schema', substr(r.rolname, 8))`;
  const tables = await victim.ask(`
    SELECT rolname, nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace, ${roles} AND ${elsewhere}
      AND relkind IN ('r', 'v', 'm', 'p', 'f') AND (
        has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        OR has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))`);
  expect(tables).toEqual([]);
  const functions = await victim.ask<{ what: string; of: string[] }>(`
    SELECT nspname || CASE WHEN nspname = 'banyan_log' AND prosecdef THEN '.*' ELSE '.' || proname END AS what,
      array_agg(DISTINCT rolname::text ORDER BY rolname::text) AS of
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace, ${roles} AND ${elsewhere}
      AND has_function_privilege(r.oid, p.oid, 'EXECUTE') AND has_schema_privilege(r.oid, n.oid, 'USAGE')
    GROUP BY 1 ORDER BY 1`);
  const modules = ['catalog', 'media', 'notifications', 'orders', 'payments', 'users'];
  expect(functions).toEqual([
    { what: 'banyan_control.revoke', of: ['banyan_users'] },
    { what: 'banyan_control.revoke_sessions', of: ['banyan_users'] },
    { what: 'banyan_log.*', of: modules.map((module) => `banyan_${module}`) },
  ]);
});

test('the key that was stolen ends when keys are rotated, and nobody who asks is refused meanwhile', async () => {
  const token = await thief.own('control');
  expect((await thief.sync({}, token)).status).toBe(200);
  const failed: string[] = [];
  let over = false;
  const asking = (async () => {
    while (!over) {
      const { status } = await victim.shop.call('GET', '/api/orders', { token: victim.customer.token });
      if (status !== 200) failed.push(`orders: ${status}`);
    }
  })();
  try {
    await victim.admin('POST', '/admin/keys/internal/rotate');
    await eventually(async () => expect((await thief.sync({}, token)).status).toBe(401), 60_000);
    await eventually(() => victim.pidOf('media-1'));
    const successor = new Thief(environmentOf(await victim.pidOf('media-1')), victim.shop.url);
    expect((await successor.sync({})).status).toBe(200);
    expect((await thief.sync({})).status).toBe(401);
  } finally {
    over = true;
    await asking;
  }
  expect(failed).toEqual([]);
}, 120_000);

test('what was seen so often that it was only counted is said when the minute is over', async () => {
  if (counted === 0) return;
  await eventually(() => {
    const leftOut = victim.securityLog().reduce((sum, line) => sum + Number(line.leftOut ?? 0), 0);
    expect(leftOut).toBeGreaterThanOrEqual(counted);
  }, MINUTE_MS + 10_000);
}, 120_000);
