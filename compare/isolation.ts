// Failure isolation: one module is made to fail in each of four ways while the load runs, and every request tells
// whether it was affected. Killed and leaking processes are started again by whoever runs them: services by their
// supervisor, the monolith by us, 0.2 s later, as a process manager would.
import { setTimeout as pause } from 'node:timers/promises';
import { audienceOf, MONOLITH } from '../src/banyan/identity/internal-token.ts';
import { type Installation, tokensAs } from '../stage/ring.ts';
import type { Fixture } from './fixture.ts';
import type { Fault, Isolation, Side } from './format/report.ts';
import { impactOf, type Threshold } from './impact.ts';
import { CONNECTIONS } from './rate.ts';
import type { HostProcess, Instance } from './topology/instance.ts';
import { record } from './workload/record.ts';

type Kind = Fault['fault'];

export interface IsolationPlan {
  readonly faults: readonly Kind[];
  /** Modules that fail, one at a time; `gateway` is the process with the public port. */
  readonly modules: readonly string[];
  readonly perSecond: number;
  /** What is slow, by kind of request, on each side. */
  readonly thresholds: Readonly<Record<Side, ReadonlyMap<string, Threshold>>>;
}

/** Before the fault, while it holds, and how long it is watched in all. */
export const BEFORE_MS = 1500;
export const HOLD_MS = 3000;
const WATCH_MS = 9000;
/** A client's patience: after this it has failed. */
const TIMEOUT_MS = 3000;
const DECIDED_MS = 6000;
/** Enough for a host under this load, little enough to be full in seconds. */
export const HEAP_MB = 192;
const LEAK_MB_PER_SECOND = 100;
const RESTART_MS = 200;

export async function isolate(fixture: Fixture, plan: IsolationPlan): Promise<Isolation> {
  const { options, instances } = fixture;
  options.say('isolation', 'new processes, with little memory');
  await fixture.restart({ faults: true, heapMb: HEAP_MB });
  const faults: Fault[] = [];
  const notes = [
    `Each host has a heap of ${HEAP_MB} MB here; a client gives up after ${TIMEOUT_MS / 1000} s; frozen and CPU-burn hold for ${HOLD_MS / 1000} s.`,
    'A killed monolith is started again 0.2 s later, as supervisors do with services.',
  ];
  for (const kind of plan.faults) {
    for (const side of ['a', 'b'] as const) {
      for (const module of targets(instances[side], plan.modules)) {
        options.signal.throwIfAborted();
        options.say('isolation', `${options[side].label}: ${module} ${kind}`);
        try {
          faults.push(await inject(fixture, plan, instances[side], kind, module));
        } catch (error) {
          options.signal.throwIfAborted();
          notes.push(`${side.toUpperCase()}, ${module} ${kind}: not measured (${(error as Error).message}).`);
        }
      }
    }
  }
  return { perSecond: plan.perSecond, faults, notes };
}

/** One module per process: modules that share one fail together, and one run stands for all of them. */
function targets(instance: Instance, modules: readonly string[]): string[] {
  const seen = new Set<string>();
  return modules.filter((module) => {
    const process = hostOf(instance, module).name;
    return !seen.has(process) && seen.add(process);
  });
}

function hostOf(instance: Instance, module: string): HostProcess {
  return instance.hosts.find(({ modules }) => modules.includes(module))!;
}

async function inject(
  fixture: Fixture,
  plan: IsolationPlan,
  instance: Instance,
  kind: Kind,
  module: string,
): Promise<Fault> {
  const { options, generator, stock, files } = fixture;
  const { side } = instance;
  const target = hostOf(instance, module);
  const { requests } = record(options.workload, stock, {
    perSecond: plan.perSecond,
    ms: BEFORE_MS + WATCH_MS,
    seed: options.seed,
    run: `fault-${kind}-${module}`,
  });
  const patient = requests.map((one) =>
    one.until ? { ...one, until: { ...one.until, withinMs: DECIDED_MS } } : one,
  );
  const keeper = keepAlive(instance);
  try {
    const load = generator.run({
      url: instance.url,
      requests: patient,
      connections: CONNECTIONS,
      timeoutMs: TIMEOUT_MS,
      files,
    });
    // Its failure is reported where it is awaited.
    load.catch(() => {});
    await pause(BEFORE_MS);
    const at = Date.now();
    await strike(kind, target, { databaseUrl: instance.databaseUrl, rootKey: fixture.rootKey });
    const result = await load;
    const impact = impactOf(patient, result, {
      strikeMs: at - result.startedAt,
      holdMs: kind === 'killed' ? 0 : HOLD_MS,
      endMs: BEFORE_MS + WATCH_MS,
      thresholds: plan.thresholds[side],
    });
    const shared = instance.hosts.find(({ name }) => name === target.name)?.modules ?? target.modules;
    return {
      side,
      fault: kind,
      module,
      process: target.name,
      sharedWith: shared.filter((one) => one !== module),
      holdSeconds: kind === 'killed' ? 0 : HOLD_MS / 1000,
      ...impact,
    };
  } finally {
    await healed(fixture, instance);
    await keeper.release();
  }
}

async function strike(kind: Kind, { pid, url, name }: HostProcess, of: Installation): Promise<void> {
  if (kind === 'killed') process.kill(pid, 'SIGKILL');
  else if (kind === 'frozen') {
    process.kill(pid, 'SIGSTOP');
    await pause(HOLD_MS);
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // Whoever looks after it replaced it meanwhile.
    }
  } else {
    const token = await (await tokensAs(of, MONOLITH)).mint(audienceOf(name));
    const path = kind === 'cpu-burn' ? 'burn' : 'leak';
    const response = await fetch(`${url}/faults/${path}`, {
      method: 'POST',
      headers: { 'x-internal-token': token, 'content-type': 'application/json' },
      body: JSON.stringify(kind === 'cpu-burn' ? { ms: HOLD_MS } : { mbPerSecond: LEAK_MB_PER_SECOND }),
      signal: AbortSignal.timeout(5000),
    });
    if (!response.ok)
      throw new Error(`${name} refused the fault: ${response.status} ${await response.text()}`);
  }
}

/** Starts the monolith again whenever it ends, until released. */
function keepAlive(instance: Instance): { release(): Promise<void> } {
  let over = false;
  const loop = (async () => {
    while (!over) {
      await pause(20);
      if (over || instance.monolithRuns) continue;
      await pause(RESTART_MS);
      if (!over) await instance.startMonolith().catch(() => {});
    }
  })();
  return {
    async release() {
      over = true;
      await loop;
    },
  };
}

/** Until everything that should serve does; a topology that does not get there is started anew. */
async function healed(fixture: Fixture, instance: Instance): Promise<void> {
  const { signal } = fixture.options;
  const deadline = performance.now() + 20_000;
  while (!signal.aborted && performance.now() < deadline) {
    try {
      const { modules } = await instance.look();
      const wanted = instance.topology.services;
      if (
        modules.every(
          ({ module, instances }) =>
            instances.filter((one) => one.healthy).length >= (wanted.get(module) ?? 0),
        )
      )
        return;
    } catch {
      // The monolith is on its way.
    }
    await pause(100);
  }
  if (!signal.aborted) await fixture.restart({ faults: true, heapMb: HEAP_MB });
}
