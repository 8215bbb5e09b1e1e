// A store that is moved between two real servers under writes, there and back: what was acknowledged is there, on both sides.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query } from '../postgres/testing.ts';
import type { Between } from './pair/moving.ts';
import { makePair, pairState } from './pair/pair.ts';
import { compare } from './pair/verify.ts';
import { lagGate } from './pause/lag.ts';
import { type Paused, runPause } from './pause/pause.ts';
import { refresh } from './pause/statistics.ts';
import { type Ground, moving, openGround } from './testing/ground.ts';
import { startWriters, type Writers } from './testing/writers.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await openGround(20_000);
}, 120_000);
afterAll(() => ground?.close());

test('a store goes there and back, and there and back, under 200 writes a second', async () => {
  const { one, other } = ground;
  const writers = startWriters(ground.urlAt(one), 200);
  const copied: number[] = [];
  await makePair(one, other, moving, (now) => copied.push(now.copied));
  expect(copied.at(-1)).toBeGreaterThan(20_000);
  await expect(pairState(one, other, moving)).resolves.toMatchObject({ state: 'paired' });
  for (const [source, target] of [
    [one, other],
    [other, one],
    [one, other],
    [other, one],
  ] as const) {
    await refresh(target, moving);
    const moved = await move({ source, target, moving }, writers);
    expect(moved.why).toBeUndefined();
    expect((await compare(moved.snapshots!)).filter(({ alike }) => !alike)).toEqual([]);
  }
  await writers.stop();
  expect(writers.failed).toEqual([]);
  const [{ n }] = (await query<{ n: number }>(
    one.adminUrl,
    'SELECT count(*)::int AS n FROM ware.parcel',
  )) as [{ n: number }];
  expect(n).toBe(20_000 + writers.written.size);
  const last = await compare({ source: one, target: other, moving });
  expect(last.filter(({ alike }) => !alike)).toEqual([]);
  expect(last.find(({ table }) => table === 'parcel')?.rows).toBe(n);
}, 120_000);

/** As a coordinator does: it waits for the gate, and tries again where a busy machine went over the budget. */
async function move(between: Between, writers: Writers): Promise<Paused> {
  for (let attempt = 1; ; attempt += 1) {
    await lagGate(between);
    const paused = await runPause(between, {
      hold: () => writers.hold(),
      commit: () => writers.switchTo(ground.urlAt(between.target)),
      release: () => writers.release(),
    });
    if (paused.moved || attempt === 5) return paused;
  }
}
