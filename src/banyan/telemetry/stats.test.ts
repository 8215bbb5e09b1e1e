// What is counted of a request, and what is not; the same numbers in both places where they are shown.
import { describe, expect, it } from 'vitest';
import { libraryProblem, ModuleUnavailable } from '../contract/problem.ts';
import { EDGES, FINE_EDGES } from './edges.ts';
import { createMetrics } from './metrics.ts';
import { isFault, SLOW_MS, Stats } from './stats.ts';

describe('a counter', () => {
  it('is the same one each time, and of one side alone', () => {
    const stats = new Stats();
    const near = stats.of('depots', 'in-process', 'nearest');
    expect(stats.of('depots', 'in-process', 'nearest')).toBe(near);
    expect(stats.of('depots', 'service', 'nearest')).not.toBe(near);
    near.note(1, false);
    expect(Object.keys(stats.read().depots!)).toEqual(['in-process']);
  });

  it('puts each duration at the edge that it does not pass, and beyond the last one at none', () => {
    const counter = new Stats().of('depots', 'service', 'nearest');
    for (const ms of [0, 0.5, 0.51, SLOW_MS, SLOW_MS + 1, 15_000, 15_001]) counter.note(ms, false);
    const counts = Object.fromEntries(EDGES.map((edge, at) => [edge, counter.buckets[at]]));
    expect(counts).toMatchObject({ 0.0005: 2, 0.001: 1, 0.5: 1, 1: 1, 15: 1 });
    expect(counter.buckets).toHaveLength(14);
    const parts = FINE_EDGES.flatMap((edge, at) =>
      counter.parts[at]! > 0 ? [[edge, counter.parts[at]]] : [],
    );
    expect(parts).toEqual([
      [0.000125, 1],
      [0.0005, 1],
      [0.000625, 1],
      [0.5, 1],
      [0.625, 1],
      [15, 1],
    ]);
    expect(counter).toMatchObject({ count: 7, watched: 7, bad: 0, slow: 3 });
    expect(counter.seconds).toBeCloseTo(31.00301, 3);
  });

  it('counts every near call, and watches the first of every 16', async () => {
    const counter = new Stats().of('depots', 'in-process', 'nearest');
    const refused = () => Promise.reject(new Error('broken'));
    let watched = 0;
    for (let call = 0; call < 33; call += 1) {
      if (!counter.begins()) continue;
      watched += 1;
      await counter.watch(refused, undefined).catch(() => undefined);
    }
    expect(watched).toBe(3);
    expect(counter).toMatchObject({ count: 33, watched: 3, bad: 3 });
  });

  it('has the threshold of its module, also when that came first or is taken back', () => {
    const stats = new Stats();
    const before = stats.of('depots', 'service', 'nearest');
    stats.slowAfter('depots', 20);
    const after = stats.of('depots', 'service', 'list');
    for (const counter of [before, after, stats.of('parcels', 'service', 'send')]) counter.note(30, false);
    expect([before.slow, after.slow, stats.of('parcels', 'service', 'send').slow]).toEqual([1, 1, 0]);
    stats.slowAfter('depots', undefined);
    before.note(30, false);
    expect(before).toMatchObject({ slow: 1, slowMs: SLOW_MS });
  });
});

it('a fault is what failed, and no mistake of a client', () => {
  expect(isFault(libraryProblem('not-found', { detail: 'x' }))).toBe(false);
  expect(isFault(AbortSignal.abort().reason)).toBe(false);
  expect(isFault(libraryProblem('deadline-exceeded', { detail: 'x' }))).toBe(true);
  expect(isFault(new ModuleUnavailable('depots', 'x'))).toBe(true);
  expect(isFault(new TypeError('x'))).toBe(true);
});

it('/metrics has the same numbers, by side', async () => {
  const { registry, stats } = createMetrics('monolith');
  const counter = stats.of('depots', 'service', 'nearest');
  counter.note(3, false);
  counter.note(700, true);
  counter.begins();
  stats.of('depots', 'in-process', 'nearest');
  const text = await registry.metrics();
  const labels = 'module="depots",operation="nearest",side="service",host="monolith"';
  const series = text.split('\n').filter((line) => /^banyan_request/.test(line));
  expect(series).toEqual(
    expect.arrayContaining([
      `banyan_requests_total{${labels}} 3`,
      `banyan_requests_bad_total{${labels}} 1`,
      `banyan_requests_slow_total{${labels}} 1`,
      `banyan_request_duration_seconds_bucket{le="0.002",${labels}} 0`,
      `banyan_request_duration_seconds_bucket{le="0.005",${labels}} 1`,
      `banyan_request_duration_seconds_bucket{le="15",${labels}} 2`,
      `banyan_request_duration_seconds_bucket{le="+Inf",${labels}} 2`,
      `banyan_request_duration_seconds_sum{${labels}} 0.703`,
      `banyan_request_duration_seconds_count{${labels}} 2`,
    ]),
  );
  // What was never asked has no series.
  expect(text).not.toContain('side="in-process"');
});
