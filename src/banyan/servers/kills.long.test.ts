// A server that is killed at any point of a pair's making and of a pause: before the commit point the source is the owner again,
// after it the target is, by what whoever comes next does first, and nothing that was acknowledged is lost.
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { TestServer } from '../events/testing/server.ts';
import { query } from '../postgres/testing.ts';
import type { Between, ServerAt } from './pair/moving.ts';
import { makePair, pairState } from './pair/pair.ts';
import { compare } from './pair/verify.ts';
import { Budget } from './pause/budget.ts';
import { lagGate } from './pause/lag.ts';
import { runPause } from './pause/pause.ts';
import { recover } from './pause/recover.ts';
import { type Ground, moving, openGround } from './testing/ground.ts';
import { startWriters, type Writers } from './testing/writers.ts';

let ground: Ground;
let writers: Writers;
let owner: ServerAt;
let other: ServerAt;
beforeAll(async () => {
  ground = await openGround(2_000);
  [owner, other] = [ground.one, ground.other];
  // Half a minute of tests is not spent on the server's own waits between two tries.
  for (const { adminUrl } of [owner, other])
    await query(adminUrl, "ALTER SYSTEM SET wal_retrieve_retry_interval = '200ms'").then(() =>
      query(adminUrl, 'SELECT pg_reload_conf()'),
    );
  writers = startWriters(ground.urlAt(owner), 60, 20_000);
}, 120_000);
afterAll(async () => {
  await writers?.stop();
  await ground?.close();
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Killed as by the kernel; its watch starts it again. */
async function kill(server: ServerAt): Promise<void> {
  const victim = serverOf(server);
  const { pid } = victim;
  process.kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(readdirSync('/proc')).not.toContain(String(pid)), { timeout: 10_000 });
}

function serverOf(server: ServerAt): TestServer {
  return ground.servers[server.name === ground.one.name ? 0 : 1];
}

async function answers(server: ServerAt): Promise<void> {
  await vi.waitFor(() => query(server.adminUrl, 'SELECT 1'), { timeout: 20_000, interval: 50 });
}

test('while it copies: the copy goes on by itself, or is begun again', async () => {
  for (const victim of [() => other, () => owner]) {
    let killed = false;
    const making = makePair(owner, other, moving, () => {
      if (killed) return;
      killed = true;
      void kill(victim());
    });
    // The maker's session is lost with the server: whoever comes next goes on.
    await making.catch(() => {});
    await answers(owner);
    await answers(other);
    await vi.waitFor(() => makePair(owner, other, moving), { timeout: 30_000 });
    expect(killed).toBe(true);
  }
  await expect(pairState(owner, other, moving)).resolves.toMatchObject({ state: 'paired' });
});

const parts = ['fence', 'marker', 'grant', 'commit', 'committed'] as const;
const cases = parts
  .flatMap((part) => (['source', 'target'] as const).map((victim) => ({ part, victim })))
  // Of these two nothing would come that the ones beside them do not show.
  .filter(
    ({ part, victim }) => `${victim} ${part}` !== 'target fence' && `${victim} ${part}` !== 'source marker',
  );

test.each(cases)('the $victim at $part', async ({ part, victim }) => {
  const between: Between = { source: owner, target: other, moving };
  const { spend } = Budget.prototype;
  let struck = false;
  const strike = () => {
    struck = true;
    return kill(between[victim]);
  };
  vi.spyOn(Budget.prototype, 'spend').mockImplementation(async function (this: Budget, now, work) {
    if (now === part) await strike();
    return spend.call(this, now, work);
  });
  let row = owner;
  const paused = await runPause(
    between,
    {
      hold: () => writers.hold(),
      // What decides is elsewhere: it does not mind which of the two is there.
      commit: async () => {
        if (part === 'commit') await strike();
        row = other;
        if (part === 'committed') await strike();
      },
      release: () => writers.release(),
    },
    { budgetMs: 10_000 },
  );
  expect([struck, paused.moved]).toEqual([true, row === other]);
  [owner, other] = row === owner ? [owner, other] : [other, owner];
  await answers(owner);
  await answers(other);
  expect(await recover({ owner, other, moving })).toEqual({});
  await writers.switchTo(ground.urlAt(owner));
  await expect(
    query(ground.urlAt(other), 'INSERT INTO parcel (id, n) VALUES (gen_random_uuid(), 1)'),
  ).rejects.toMatchObject({ code: '42501' });
  expect(
    await lagGate({ source: owner, target: other, moving }, { roundMs: 1_000, withinMs: 30_000 }),
  ).toBeUndefined();
});

test('a coordinator that hangs is taken over, and what it sends later arrives nowhere', async () => {
  const { spend } = Budget.prototype;
  const wakes = Promise.withResolvers<void>();
  const hangs = Promise.withResolvers<void>();
  vi.spyOn(Budget.prototype, 'spend').mockImplementation(async function (this: Budget, now, work) {
    if (now === 'grant') {
      hangs.resolve();
      await wakes.promise;
    }
    return spend.call(this, now, work);
  });
  const hanging = runPause(
    { source: owner, target: other, moving },
    {
      hold: () => writers.hold(),
      commit: () => Promise.reject(new Error('it decided')),
      release: async () => {},
      stillOurs: () => Promise.reject(new Error('another one has taken over')),
    },
    { budgetMs: 60_000 },
  );
  await hangs.promise;
  await recover({ owner, other, moving });
  await writers.release();
  wakes.resolve();
  await expect(hanging).rejects.toThrow('another one has taken over');
  await expect(
    query(ground.urlAt(other), 'INSERT INTO parcel (id, n) VALUES (gen_random_uuid(), 1)'),
  ).rejects.toMatchObject({ code: '42501' });
});

test('nothing that was acknowledged is lost, and both servers have the same', async () => {
  await pause(200);
  await writers.stop();
  expect(writers.failed).toEqual([]);
  const there = await query<{ id: string }>(owner.adminUrl, 'SELECT id::text FROM ware.parcel');
  const ids = new Set(there.map(({ id }) => id));
  expect([...writers.written].filter((id) => !ids.has(id))).toEqual([]);
  const compared = await compare({ source: owner, target: other, moving });
  expect(compared.filter(({ alike }) => !alike)).toEqual([]);
  const { reason, state } = await pairState(owner, other, moving);
  expect([state, reason]).toEqual(['paired', undefined]);
});
