import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isSampled, Recorder } from './recorder.ts';
import type { FinishedSpan } from './tracing.ts';

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');

/** The n-th trace that is, or is not, the one in a hundred. */
function traceId(n: number, sampled: boolean): string {
  for (let at = n * 100_000; ; at += 1) if (isSampled(hex(at, 32)) === sampled) return hex(at, 32);
}

let spans = 0;
function spanIn(trace: string, more: Partial<FinishedSpan> = {}): FinishedSpan {
  spans += 1;
  const now = Date.now();
  return {
    name: 'GET /api/depots',
    kind: 'server',
    traceparent: `00-${trace}-${hex(spans, 16)}-01`,
    parent: undefined,
    startMs: now - 10,
    endMs: now,
    failed: false,
    attributes: {},
    module: 'depots',
    ...more,
  };
}

describe('a recorder', () => {
  let recorder: Recorder;
  beforeEach(() => {
    vi.useFakeTimers();
    recorder = new Recorder(['depots', 'parcels']);
    recorder.until(Date.now() + 300_000);
  });
  afterEach(async () => {
    await recorder.close();
    vi.useRealTimers();
  });

  test('wants spans until then and no longer', () => {
    expect(recorder.enabled).toBe(true);
    vi.advanceTimersByTime(300_001);
    expect(recorder.enabled).toBe(false);
  });

  test('knows all of the last minute, and then the one in a hundred alone', () => {
    const [usual, sampled] = [traceId(1, false), traceId(2, true)];
    for (const trace of [usual, sampled]) recorder.record(spanIn(trace));
    expect(
      recorder
        .heads(10)
        .map(({ trace }) => trace)
        .sort(),
    ).toEqual([usual, sampled].sort());
    vi.advanceTimersByTime(61_000);
    expect(recorder.heads(10)).toMatchObject([{ trace: sampled, kept: 'sampled' }]);
  });

  test('keeps what failed, with what was and what comes later', () => {
    const trace = traceId(1, false);
    recorder.record(spanIn(trace, { kind: 'internal', parent: hex(9, 16), name: 'depots/near' }));
    recorder.record(spanIn(trace, { failed: true }));
    vi.advanceTimersByTime(70_000);
    recorder.record(spanIn(trace, { kind: 'consumer', parent: hex(9, 16), module: 'parcels' }));
    vi.advanceTimersByTime(70_000);
    expect(recorder.spansOf(trace)).toMatchObject({ kept: 'failed', spans: [{}, {}, {}] });
  });

  test('keeps what others found worth it, and tells what it found', () => {
    const [here, there] = [traceId(1, false), traceId(2, false)];
    recorder.record(spanIn(there, { kind: 'server', parent: hex(9, 16) }));
    recorder.told([{ trace: there, why: 'slow' }]);
    recorder.record(spanIn(here, { failed: true }));
    vi.advanceTimersByTime(70_000);
    expect(
      recorder
        .heads(10)
        .map(({ trace }) => trace)
        .sort(),
    ).toEqual([here, there].sort());
    expect(recorder.marksSince(0)).toEqual([
      { trace: there, why: 'slow' },
      { trace: here, why: 'failed' },
    ]);
  });

  test('a call that is refused fails nothing: who asked may go on', () => {
    recorder.record(spanIn(traceId(1, false), { kind: 'internal', parent: hex(9, 16), failed: true }));
    expect(recorder.marksSince(0)).toEqual([]);
  });

  test('slow is longer than 99 of 100 of its name', () => {
    const now = Date.now();
    for (let n = 1; n <= 160; n += 1)
      recorder.record(spanIn(traceId(n, false), { startMs: now - 10 - (n % 5) }));
    expect(recorder.marksSince(0)).toEqual([]);
    const slow = traceId(200, false);
    recorder.record(spanIn(slow, { startMs: now - 500 }));
    expect(recorder.marksSince(0)).toEqual([{ trace: slow, why: 'slow' }]);
  });

  test('a module that makes many pushes out its own alone', () => {
    const quiet = traceId(1, false);
    recorder.record(spanIn(quiet, { module: 'parcels' }));
    const loud = traceId(2, false);
    for (let n = 0; n < 5_000; n += 1) recorder.record(spanIn(loud, { parent: hex(9, 16) }));
    expect(recorder.spansOf(loud).spans).toHaveLength(1_000);
    expect(recorder.spansOf(quiet).spans).toHaveLength(1);
  });

  test("takes nothing of the host's own work", () => {
    recorder.record(spanIn(traceId(1, true), { module: undefined }));
    recorder.record(spanIn(traceId(1, true), { module: 'admin' }));
    expect(recorder.heads(10)).toEqual([]);
  });
});
