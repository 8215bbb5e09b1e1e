import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test, vi } from 'vitest';
import { Rounds } from './rounds.ts';

const HOUR_MS = 3_600_000;

test('a round comes when the one before said so', async () => {
  let count = 0;
  const rounds = new Rounds(async () => (++count < 3 ? 1 : HOUR_MS));
  rounds.ask();
  await vi.waitFor(() => expect(count).toBe(3));
  await rounds.stop();
});

test('one that is asked for as another ends comes too, after it', async () => {
  const seen: string[] = [];
  const rounds: Rounds = new Rounds(async () => {
    seen.push('begins');
    if (seen.length === 1) rounds.ask();
    await Promise.resolve();
    seen.push('ends');
    return HOUR_MS;
  });
  rounds.ask();
  await vi.waitFor(() => expect(seen).toEqual(['begins', 'ends', 'begins', 'ends']));
  await rounds.stop();
});

test('stopping waits for the present one and lets none begin', async () => {
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const rounds = new Rounds(async () => {
    begun += 1;
    await gate.promise;
    return 0;
  });
  rounds.ask();
  await vi.waitFor(() => expect(begun).toBe(1));
  let over = false;
  const stopping = rounds.stop().then(() => {
    over = true;
  });
  rounds.ask();
  expect(over).toBe(false);
  gate.resolve();
  await stopping;
  expect(begun).toBe(1);
});

test('it belongs to no request, whoever asked', async () => {
  const request = new AsyncLocalStorage<string>();
  const within = Promise.withResolvers<string | undefined>();
  const rounds = new Rounds(async () => {
    within.resolve(request.getStore());
    return HOUR_MS;
  });
  request.run('a request', () => rounds.ask());
  expect(await within.promise).toBeUndefined();
  await rounds.stop();
});
