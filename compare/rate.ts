// At which rate to compare: so that the costlier topology uses some 40 % of the machine, by the utilisation law from
// what a request costs it. Below that a queue is rarely seen, above it the machine and not the topology is measured.
import { availableParallelism } from 'node:os';
import type { Files } from './answers.ts';
import type { Generator } from './load/generator-process.ts';
import { CostWatch } from './measure/cost.ts';
import type { Instance } from './topology/instance.ts';
import { requestTimeoutMs } from './trials.ts';
import type { Workload } from './workload/read.ts';
import type { Stock } from './workload/record.ts';
import { record } from './workload/record.ts';

export const UTILISATION = 0.4;
export const CONNECTIONS = 128;

const PROBE_PER_SECOND = 60;

export interface ProbeOptions {
  readonly workload: Workload;
  readonly stock: Stock;
  readonly files: Files;
  readonly seed: number;
  readonly ms: number;
}

/** CPU seconds of one request, once the code is warm. */
export async function probe(
  instance: Instance,
  generator: Generator,
  { workload, stock, files, seed, ms }: ProbeOptions,
): Promise<number> {
  const run = async (name: string, perSecond: number, forMs: number) => {
    const { requests } = record(workload, stock, { perSecond, ms: forMs, seed, run: name });
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
