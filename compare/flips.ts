// Modules move to the other side and back while the load runs: how many requests fail, and what it adds to p99. Each
// goes to and fro several times, so that there are enough requests near a flip to speak of a p99 at all.
import { setTimeout as pause } from 'node:timers/promises';
import type { Fixture } from './fixture.ts';
import type { Change, Flip } from './format/report.ts';
import { CONNECTIONS } from './rate.ts';
import { Latencies } from './statistics/histogram.ts';
import { requestTimeoutMs } from './trials.ts';
import { record } from './workload/record.ts';

/** Requests that should leave within this after a flip began are near it. */
const NEAR_MS = 500;
const EVERY_MS = 1000;
/** The quiet time before each module's flips: together enough requests for a p99, where that is not too long. */
const SHORTEST_QUIET_MS = 3000;
const LONGEST_QUIET_MS = 8000;
const SAMPLES = 2200;

interface Moved {
  readonly to: Flip['to'];
  readonly fromMs: number;
  readonly untilMs: number;
}

export async function flipUnderLoad(
  fixture: Fixture,
  modules: readonly string[],
  perSecond: number,
  times: number,
): Promise<{ flips: Flip[]; flipMs: Change['flipMs'] }> {
  const { options, instances, generator, stock, files } = fixture;
  const flips: Flip[] = [];
  const flipMs: Change['flipMs'] = [];
  const enoughMs = (SAMPLES / (perSecond * modules.length)) * 1000;
  const quietMs = Math.min(LONGEST_QUIET_MS, Math.max(SHORTEST_QUIET_MS, enoughMs));
  const pooled = { before: new Latencies(), near: new Latencies(), requests: 0, failures: 0 };
  for (const module of modules) {
    options.signal.throwIfAborted();
    options.say('flips', `${module} goes home and back while requests run`);
    const ms = quietMs + 2 * times * EVERY_MS;
    const { requests } = record(options.workload, stock, {
      perSecond,
      ms,
      seed: options.seed,
      run: `flip-${module}`,
    });
    const load = generator.run({
      url: instances.b.url,
      requests,
      connections: CONNECTIONS,
      timeoutMs: requestTimeoutMs,
      files,
    });
    load.catch(() => {});
    const began = Date.now();
    await pause(quietMs);
    const moved: Moved[] = [];
    for (let i = 0; i < 2 * times; i++) {
      const to = i % 2 === 0 ? 'in-process' : 'service';
      const at = Date.now();
      await instances.b.place(module, to);
      moved.push({ to, fromMs: at, untilMs: Date.now() });
      await pause(Math.max(0, EVERY_MS - (Date.now() - at)));
    }
    const result = await load;
    const quiet = new Latencies();
    for (const [index, { atMs }] of requests.entries())
      if (atMs < quietMs - (result.startedAt - began) - 50 && !result.failed[index])
        quiet.record(result.latencyMs[index]!);
    pooled.before.add(quiet);
    for (const to of ['in-process', 'service'] as const) {
      const mine = moved.filter((one) => one.to === to);
      const near = new Latencies();
      let count = 0;
      let failures = 0;
      for (const [index, { atMs }] of requests.entries()) {
        const at = result.startedAt + atMs;
        if (!mine.some(({ fromMs, untilMs }) => at >= fromMs - 50 && at <= untilMs + NEAR_MS)) continue;
        count += 1;
        if (result.failed[index]) failures += 1;
        else near.record(result.latencyMs[index]!);
      }
      const spans = mine.map(({ fromMs, untilMs }) => untilMs - fromMs);
      for (const span of spans) flipMs.push({ module, to, ms: span });
      flips.push(flipOf(module, to, count, failures, spans, quiet, near));
      pooled.near.add(near);
      pooled.requests += count;
      pooled.failures += failures;
    }
  }
  const all = flipOf('all', 'service', pooled.requests, pooled.failures, [], pooled.before, pooled.near);
  return { flips: [...flips, all], flipMs };
}

function flipOf(
  module: string,
  to: Flip['to'],
  requests: number,
  failures: number,
  spans: readonly number[],
  before: Latencies,
  near: Latencies,
): Flip {
  const [p99BeforeMs, p99DuringMs] = [before.quantile(0.99), near.quantile(0.99)];
  return {
    module,
    to,
    requests,
    failures,
    seconds: spans.length === 0 ? 0 : spans.reduce((sum, one) => sum + one, 0) / spans.length / 1000,
    p99BeforeMs,
    p99DuringMs,
    addedP99Ms: p99BeforeMs === null || p99DuringMs === null ? null : p99DuringMs - p99BeforeMs,
  };
}
