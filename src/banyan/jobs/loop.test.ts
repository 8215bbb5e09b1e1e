// When a job runs: woken, at its interval, in rounds, and again at once when it says that there is more.
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { silent } from '../postgres/testing.ts';
import { createJobTask, type JobTask } from './loop.ts';

let task: JobTask;
afterEach(() => task.stop());

/** A job that says once per run whether there is more; `ran` resolves after that many runs. */
async function start(more: (run: number) => boolean, everyMs = 60_000) {
  let runs = 0;
  const waiting = new Map<number, () => void>();
  task = createJobTask(
    {
      name: 'count',
      everyMs,
      async run() {
        runs += 1;
        waiting.get(runs)?.();
        return more(runs);
      },
    },
    silent,
  );
  await task.start();
  return {
    runs: () => runs,
    ran: (n: number) => new Promise<void>((resolve) => (runs >= n ? resolve() : waiting.set(n, resolve))),
  };
}

test('runs at once, and when woken', async () => {
  const job = await start(() => false);
  await job.ran(1);
  task.wake();
  await job.ran(2);
});

test('runs at its interval', async () => {
  const job = await start(() => false, 50);
  await job.ran(3);
});

test('a wake during a run is one more run after it', async () => {
  const job = await start((run) => {
    if (run === 1) for (let n = 0; n < 5; n += 1) task.wake();
    return false;
  });
  await job.ran(2);
  await pause(100);
  expect(job.runs()).toBe(2);
});

test('what wakes it all the time finds it in rounds', async () => {
  const job = await start(() => false);
  await job.ran(1);
  const began = performance.now();
  while (performance.now() - began < 300) {
    task.wake();
    await pause(1);
  }
  // 20 ms from one to the next; one more is under way.
  expect(job.runs()).toBeGreaterThan(2);
  expect(job.runs()).toBeLessThanOrEqual(2 + (performance.now() - began) / 19);
});

test('when there is more it runs on without a rest', async () => {
  const job = await start((run) => run < 1000);
  const began = performance.now();
  await job.ran(1000);
  expect(performance.now() - began).toBeLessThan(1000 * 20);
});
