// The queue as its callers rely on it: so much at once, so much waiting, nothing done for nobody.
import { expect, test } from 'vitest';
import { BoundedQueue } from './queue.ts';

const somebody = { deadline: Number.POSITIVE_INFINITY };
const queueOf = (options: Partial<{ waiting: number; weight: number; maxWaitMs: number }> = {}) =>
  new BoundedQueue({ busy: 'Busy.', atOnce: 2, waiting: 3, retryAfter: 1, maxWaitMs: 60_000, ...options });

/** Work that ends when it is told, and what was begun. */
function bench() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
  };
  return { begun, work, end: (name: string) => ends.get(name)!() };
}

test('two run, three wait in order, and the sixth hears 503 at once', async () => {
  const queue = queueOf();
  const { begun, work, end } = bench();
  const all = ['a', 'b', 'c', 'd', 'e'].map((name) => queue.run(somebody, work(name)));
  expect(begun).toEqual(['a', 'b']);
  await expect(queue.run(somebody, work('f'))).rejects.toMatchObject({ status: 503, retryAfter: 1 });
  end('b');
  expect(await all[1]).toBe('b');
  expect(begun).toEqual(['a', 'b', 'c']);
  for (const [i, name] of ['a', 'c', 'd', 'e'].entries()) {
    end(name);
    await all[i === 0 ? 0 : i + 1];
  }
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
  const last = queue.run(somebody, work('g'));
  end('g');
  expect(await last).toBe('g');
});

test('who left, or came too late, leaves a place and nothing is done for them', async () => {
  const queue = queueOf({ waiting: 1 });
  const { begun, work, end } = bench();
  const running = [queue.run(somebody, work('a')), queue.run(somebody, work('b'))];
  const leaving = new AbortController();
  const left = queue.run({ ...somebody, signal: leaving.signal }, work('left'));
  leaving.abort();
  await expect(left).rejects.toMatchObject({ status: 504 });
  const late = queue.run({ deadline: Date.now() - 1 }, work('late'));
  end('a');
  await expect(late).rejects.toMatchObject({ status: 504 });
  end('b');
  await Promise.all(running);
  expect(begun).toEqual(['a', 'b']);
  const next = ['c', 'd'].map((name) => queue.run(somebody, work(name)));
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
  end('c');
  end('d');
  await Promise.all(next);
});

test('who has waited too long hears 503, and leaves a place', async () => {
  const queue = queueOf({ waiting: 1, maxWaitMs: 5 });
  const { begun, work, end } = bench();
  const running = [queue.run(somebody, work('a')), queue.run(somebody, work('b'))];
  await expect(queue.run(somebody, work('c'))).rejects.toMatchObject({ status: 503, retryAfter: 1 });
  await expect(queue.run(somebody, work('d'))).rejects.toMatchObject({ status: 503 });
  end('a');
  end('b');
  await Promise.all(running);
  expect(begun).toEqual(['a', 'b']);
});

test('what fails gives its turn back', async () => {
  const queue = queueOf({ waiting: 0 });
  const failing = () => Promise.reject(new Error('no'));
  for (let i = 0; i < 5; i += 1) await expect(queue.run(somebody, failing)).rejects.toThrow('no');
});

test('what waits and runs has a weight in all; one alone may be over it', async () => {
  const queue = queueOf({ weight: 10 });
  const { work, end } = bench();
  const heavy = queue.run(somebody, work('a'), 11);
  await expect(queue.run(somebody, work('b'), 1)).rejects.toMatchObject({ status: 503 });
  end('a');
  await heavy;
  const light = [queue.run(somebody, work('c'), 5), queue.run(somebody, work('d'), 5)];
  await expect(queue.run(somebody, work('e'), 1)).rejects.toMatchObject({ status: 503 });
  end('c');
  end('d');
  await Promise.all(light);
});
