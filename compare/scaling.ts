// One hot module in 1, 2 and 3 processes, everything else as it is: what a team does that scales one service.
import { availableParallelism } from 'node:os';
import { P99_BOUND_MS, searchCapacity } from './capacity.ts';
import type { Fixture } from './fixture.ts';
import type { Scaling, SideMeasured } from './format/report.ts';
import { CostWatch } from './measure/cost.ts';
import { demandsOf, predictCapacity } from './model.ts';
import { CONNECTIONS } from './rate.ts';
import { requestTimeoutMs } from './trials.ts';
import { record } from './workload/record.ts';

const INSTANCES = [1, 2, 3];
const COST_MS = 5000;

export async function scaleModule(
  fixture: Fixture,
  module: string,
  measured: SideMeasured,
  perSecond: number,
): Promise<Scaling> {
  const { options, instances } = fixture;
  const cores = availableParallelism();
  const rows: Scaling['measured'] = [];
  for (const count of INSTANCES) {
    options.say('scaling', `${module} in ${count} processes`);
    await instances.b.scale(module, count);
    const cost = await costAt(fixture, perSecond, `scale-${count}`);
    const { perSecond: found } = await searchCapacity(
      fixture,
      instances.b,
      perSecond * 1.25,
      `scale-${count}`,
    );
    rows.push({
      instances: count,
      perSecond: found,
      cpuSecondsPer1000: cost,
      predictedPerSecond: predictCapacity(split(measured, module, count), cores, P99_BOUND_MS).perSecond,
    });
  }
  await instances.b.scale(module, options.b.services.get(module) ?? 1);
  return {
    module,
    measured: rows,
    notes: [
      `On ${cores} cores more processes share the same cores: a gain here is a gain in waiting, not in power. The model says what more cores would give.`,
    ],
  };
}

/** The module's demand, spread evenly. */
function split(measured: SideMeasured, module: string, count: number) {
  return demandsOf(measured).flatMap((one) =>
    one.process.startsWith(`${module}-`)
      ? Array.from({ length: count }, () => ({ ...one, demandMs: one.demandMs / count }))
      : [one],
  );
}

async function costAt(
  { options, instances, generator, stock, files }: Fixture,
  perSecond: number,
  run: string,
) {
  const { requests } = record(options.workload, stock, { perSecond, ms: COST_MS, seed: options.seed, run });
  const cost = new CostWatch(instances.b);
  await generator.run({
    url: instances.b.url,
    requests,
    connections: CONNECTIONS,
    timeoutMs: requestTimeoutMs,
    files,
  });
  return (cost.end().cpuSeconds / Math.max(1, requests.length)) * 1000;
}
