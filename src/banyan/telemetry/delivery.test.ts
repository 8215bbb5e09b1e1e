// What is kept for an endpoint that does not answer, what the log says of it, and who waits for it.
import { expect, test, vi } from 'vitest';
import { Delivery, type Exporter, Outage, type Result } from './delivery.ts';

function outage(now = () => 0) {
  const said: string[] = [];
  const log = {
    warn: ({ reason }: { reason: string }, words: string) => said.push(`${words}: ${reason}`),
    info: (words: string) => said.push(words),
  };
  return { said, outage: new Outage(log as unknown as ConstructorParameters<typeof Outage>[0], now) };
}

function delivery() {
  const { said, outage: of } = outage();
  const counted: Record<string, number> = { dropped: 0, failures: 0 };
  const count =
    (name: string) =>
    (_labels: unknown, by = 1) => {
      counted[name] = counted[name]! + by;
    };
  const made = new Delivery('logs', of, { dropped: count('dropped'), failures: count('failures') });
  const answers: ((result: Result) => void)[] = [];
  const exporter = made.noted<string[], Exporter<string[]>>(
    { export: (_items, done) => void answers.push(done) },
    (items) => items.length,
  );
  return { said, counted, delivery: made, exporter, answers };
}

const refused = new Error('connect ECONNREFUSED 127.0.0.1:4318');

test('what waits is bounded; what is sent makes room, also where it is lost', () => {
  const { delivery: one, counted, exporter, answers } = delivery();
  let letIn = 0;
  while (one.take()) letIn += 1;
  expect(counted.dropped).toBe(1);
  expect(letIn).toBeGreaterThan(512);
  exporter.export(['a', 'b'], () => {});
  expect(one.take()).toBe(false);
  answers[0]!({ code: 1, error: refused });
  expect(counted).toEqual({ dropped: 4, failures: 1 });
  expect([one.take(), one.take(), one.take()]).toEqual([true, true, false]);
});

test('the exporter’s answer goes on to whoever asked', () => {
  const { exporter, answers } = delivery();
  const done = vi.fn();
  exporter.export(['a'], done);
  answers[0]!({ code: 0 });
  expect(done).toHaveBeenCalledExactlyOnceWith({ code: 0 });
});

test('it is down after an export that failed, or while one is not answered, and up by one that is', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const { delivery: one, exporter, answers } = delivery();
    expect(one.isDown).toBe(false);
    exporter.export([], () => {});
    vi.advanceTimersByTime(900);
    expect(one.isDown).toBe(false);
    vi.advanceTimersByTime(200);
    expect(one.isDown).toBe(true);
    answers[0]!({ code: 1, error: refused });
    expect(one.isDown).toBe(true);
    exporter.export([], () => {});
    answers[1]!({ code: 0 });
    expect(one.isDown).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});

test('an outage is one line for all signals, and one when it is over; one that comes and goes a line a minute', () => {
  let now = 0;
  const { said, outage: one } = outage(() => now);
  for (const signal of ['traces', 'logs', 'traces', 'metrics'] as const) one.failed(signal, refused);
  expect(said).toEqual([expect.stringMatching(/^telemetry cannot be sent by OTLP.*ECONNREFUSED/)]);
  one.taken('traces');
  one.taken('logs');
  expect(said).toHaveLength(1);
  one.taken('metrics');
  expect(said.at(-1)).toBe('telemetry is sent by OTLP again');
  one.failed('logs', refused);
  one.taken('logs');
  expect(said).toHaveLength(2);
  now = 60_000;
  one.failed('logs', undefined);
  expect(said.at(-1)).toMatch(/: it was not taken$/);
});
