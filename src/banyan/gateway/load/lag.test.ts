// The share that a late event loop lets through.
import { expect, test } from 'vitest';
import { LagShare } from './lag.ts';

const passed = (share: LagShare, of: number) =>
  Array.from({ length: of }, () => share.passes()).filter(Boolean).length;

test('one pause, however long, and two lesser ones refuse nobody', () => {
  const share = new LagShare();
  for (const lag of [9000, 0, 400, 400, 5, 350, 310, 150]) share.tick(lag);
  expect(passed(share, 1000)).toBe(1000);
});

test('while the loop stays late the share is halved, to a sixteenth and no less', () => {
  const share = new LagShare();
  for (let n = 0; n < 3; n += 1) share.tick(400);
  expect(passed(share, 1000)).toBe(500);
  share.tick(400);
  expect(passed(share, 1000)).toBe(250);
  for (let n = 0; n < 20; n += 1) share.tick(2000);
  expect(passed(share, 1600)).toBe(100);
});

test('it grows back once the loop keeps time, and waits while it is neither', () => {
  const share = new LagShare();
  for (let n = 0; n < 10; n += 1) share.tick(400);
  for (let n = 0; n < 50; n += 1) share.tick(200);
  expect(share.share).toBe(1 / 16);
  for (let n = 0; n < 8; n += 1) share.tick(10);
  expect(passed(share, 1000)).toBe(1000);
});
