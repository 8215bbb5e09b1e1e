// The load generator against a server whose latencies are known. What is asserted is a matter of logic, not of how
// fast this machine is: no request may look faster than it can have been.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { choosePinning, type Generator, startGenerator } from '../compare/load/generator-process.ts';
import type { LoadResult, Planned } from '../compare/load/plan.ts';
import { randomOf } from '../compare/load/random.ts';
import { arrivals } from '../compare/load/schedule.ts';
import { Latencies } from '../compare/statistics/histogram.ts';

let server: ChildProcess;
let generator: Generator;
let url: string;

beforeAll(async () => {
  server = fork(fileURLToPath(new URL('./compare-known-server.ts', import.meta.url)));
  const [{ port }] = (await once(server, 'message')) as [{ port: number }];
  url = `http://127.0.0.1:${port}`;
  generator = await startGenerator(choosePinning(), process.env);
});
afterAll(async () => {
  await generator?.stop();
  server?.disconnect();
});

const run = (requests: readonly Planned[], connections = 100): Promise<LoadResult> =>
  generator.run({ url, requests, connections, timeoutMs: 10_000, files: {} });

const get = (atMs: number, path: string, kind = 'get'): Planned => ({
  atMs,
  kind,
  method: 'GET',
  path,
  expect: 200,
});

function quantile(values: Iterable<number>, q: number): number {
  const all = new Latencies();
  for (const value of values) all.record(value);
  return all.quantile(q)!;
}

test('a known distribution comes out: 5, 20 and 60 ms', async () => {
  const random = randomOf(3);
  const delays: number[] = [];
  const plan = arrivals(400, 2000, random).map((atMs) => {
    const draw = random();
    const after = draw < 0.6 ? 5 : draw < 0.9 ? 20 : 60;
    delays.push(after);
    return get(atMs, `/?after=${after}`);
  });
  const { latencyMs, failed, status } = await run(plan);
  expect(new Set(status)).toEqual(new Set([200]));
  expect(failed.includes(1)).toBe(false);
  // A timer of the server may fire up to 1 ms early by this clock.
  for (const [index, latency] of latencyMs.entries()) expect(latency).toBeGreaterThan(delays[index]! - 1.5);
  // Whatever else runs here, some request of 800 had nothing in its way: 0.5 ms on an idle machine.
  expect(Math.min(...latencyMs.map((latency, index) => latency - delays[index]!))).toBeLessThan(10);
  expect(quantile(latencyMs, 0.95)).toBeGreaterThanOrEqual(58);
});

test('a stall of 1 s is seen by every request that should have left in it', async () => {
  const moments = arrivals(200, 3000, randomOf(5));
  const requests = moments.map((atMs) => get(atMs, '/'));
  requests.push(get(1000, '/stall', 'stall'));
  requests.sort((a, b) => a.atMs - b.atMs);
  const stalled = once(server, 'message');
  const { latencyMs } = await run(requests);
  const [{ stalled: stall }] = (await stalled) as [{ stalled: { from: number; until: number } }];
  const index = requests.findIndex(({ kind }) => kind === 'stall');
  const length = stall.until - stall.from;
  expect(length).toBeGreaterThan(995);
  // On the schedule's own axis: its answer left when it was over.
  const end = 1000 + latencyMs[index]!;
  const begin = end - length;
  const inside = requests.flatMap(({ atMs, kind }, i) =>
    kind === 'get' && atMs > begin + 5 && atMs < end - 50 ? [i] : [],
  );
  expect(inside.length).toBeGreaterThan(120);
  for (const i of inside) expect(latencyMs[i]).toBeGreaterThan(end - requests[i]!.atMs - 30);
  // A quarter to a third of all requests fall into it, with waits spread evenly over it: so at p90 more than half
  // a second. A tool that waits for an answer before it asks again has one slow request in hundreds here.
  expect(quantile(latencyMs, 0.9)).toBeGreaterThan(500);
});

test('with all connections taken, the wait for one counts', async () => {
  const requests = Array.from({ length: 60 }, () => get(0, '/?after=50'));
  const { latencyMs } = await run(requests, 2);
  // 30 one after the other on each of two connections.
  expect(Math.max(...latencyMs)).toBeGreaterThan(29 * 49);
});

test('an order is followed until it is decided; what fails is counted and told', async () => {
  const until = {
    method: 'GET',
    path: '/thing/{answer.id}',
    field: 'status',
    not: 'placed',
    everyMs: 10,
    withinMs: 5000,
  };
  const order = (id: string, wanted: string): Planned => ({
    atMs: 1,
    kind: 'order',
    method: 'POST',
    path: `/?id=${id}`,
    body: '{}',
    expect: 202,
    until: { ...until, wanted },
  });
  const { failed, decidedMs, latencyMs, examples, status } = await run([
    order('a%20b', 'confirmed'),
    order('c', 'rejected'),
    get(2, '/fails', 'bad'),
  ]);
  expect([...failed]).toEqual([0, 1, 1]);
  expect([...status]).toEqual([202, 202, 503]);
  // Decided at the third poll, which is 30 ms after the answer at the earliest.
  expect(decidedMs[0]! - latencyMs[0]!).toBeGreaterThan(28);
  expect(examples.toSorted()).toEqual(['bad: answered 503', 'order: status became confirmed']);
});

test('a server that is not there: every request failed, and the run ends', async () => {
  const result = await generator.run({
    url: 'http://127.0.0.1:1',
    requests: [get(0, '/'), get(5, '/')],
    connections: 2,
    timeoutMs: 1000,
    files: {},
  });
  expect([...result.failed]).toEqual([1, 1]);
  expect(result.examples[0]).toContain('ECONNREFUSED');
});

test('pinned only where cores are left for everybody', () => {
  expect(choosePinning(2, true)).toMatchObject({ generator: undefined, hosts: undefined });
  expect(choosePinning(8, true)).toMatchObject({ generator: '7', hosts: '0-6' });
  expect(choosePinning(8, false)).toMatchObject({ generator: undefined, hosts: undefined });
});
