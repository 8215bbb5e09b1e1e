// At which rate to compare: so that the costlier shape uses some 40 % of the machine, by the utilisation law from
// what a request costs it. Below that a queue is rarely seen, above it the machine and not the shape is measured.
import { availableParallelism } from 'node:os';
import type { Files } from './answers.ts';
import type { Generator } from './load/generator-process.ts';
import { CostWatch } from './measure/cost.ts';
import { requestTimeoutMs } from './rounds.ts';
import type { Instance } from './shapes/instance.ts';
import type { Work } from './work/read.ts';
import type { Stock } from './work/record.ts';
import { record } from './work/record.ts';

export const UTILISATION = 0.4;
export const CONNECTIONS = 128;

const PROBE_PER_SECOND = 60;

export interface ProbeOptions {
  readonly work: Work;
  readonly stock: Stock;
  readonly files: Files;
  readonly seed: number;
  readonly ms: number;
}

/** CPU seconds of one request, once the code is warm. */
export async function probe(
  instance: Instance,
  generator: Generator,
  { work, stock, files, seed, ms }: ProbeOptions,
): Promise<number> {
  const run = async (name: string, perSecond: number, forMs: number) => {
    const { requests } = record(work, stock, { perSecond, ms: forMs, seed, run: name });
    await generator.run({
      url: instance.url,
      requests,
      connections: CONNECTIONS,
      timeoutMs: requestTimeoutMs,
      files,
    });
    return requests.length;
  };
  await run(`warm-${instance.side}`, 2 * PROBE_PER_SECOND, ms);
  const cost = new CostWatch(instance);
  const requests = await run(`probe-${instance.side}`, PROBE_PER_SECOND, ms);
  return cost.end().cpuSeconds / Math.max(1, requests);
}

/** Two significant digits, at least 10 a second. */
export function rateFor(cpuSecondsPerRequest: number, cores = availableParallelism()): number {
  const exact = (UTILISATION * cores) / Math.max(1e-5, cpuSecondsPerRequest);
  return Math.max(10, Number(Math.min(5000, exact).toPrecision(2)));
}
