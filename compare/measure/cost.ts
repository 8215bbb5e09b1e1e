// What a topology costs while something runs: CPU of each of its processes between two looks, and their memory at its
// highest sample. The load generator is not part of it.
import type { ProcessCost } from '../format/report.ts';
import type { Instance } from '../topology/instance.ts';
import { cpuSeconds, memoryBytes, treeCpuSeconds, treePids } from './proc.ts';

export interface Spent {
  readonly name: string;
  readonly role: ProcessCost['role'];
  readonly modules: readonly string[];
  readonly cpuSeconds: number;
  readonly memoryBytes: number | undefined;
}

interface Watched {
  readonly name: string;
  readonly role: ProcessCost['role'];
  readonly modules: readonly string[];
  readonly cpu: () => number;
  readonly pids: () => number[];
}

/** How often memory is looked at. A look at 70 processes takes some 20 ms of CPU, which is nobody's of these. */
const LOOK_MS = 1000;

export class CostWatch {
  readonly #watched: readonly Watched[];
  readonly #before: readonly number[];
  readonly #memory = new Map<string, number>();
  #highest = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(instance: Instance) {
    this.#watched = watchedOf(instance);
    this.#before = this.#watched.map((one) => one.cpu());
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    // What is measured may break off, and then nobody comes to end this.
    this.#timer.unref();
  }

  #look(): void {
    let sum = 0;
    for (const { name, pids } of this.#watched) {
      const bytes = memoryBytes(pids()) ?? 0;
      this.#memory.set(name, Math.max(bytes, this.#memory.get(name) ?? 0));
      sum += bytes;
    }
    this.#highest = Math.max(this.#highest, sum);
  }

  end(): { processes: Spent[]; cpuSeconds: number; memoryBytes: number | undefined } {
    clearInterval(this.#timer);
    const after = this.#watched.map((one) => one.cpu());
    this.#look();
    const processes = this.#watched.map(({ name, role, modules }, index) => ({
      name,
      role,
      modules,
      cpuSeconds: Math.max(0, after[index]! - this.#before[index]!),
      memoryBytes: this.#memory.get(name) || undefined,
    }));
    return {
      processes,
      cpuSeconds: processes.reduce((sum, one) => sum + one.cpuSeconds, 0),
      memoryBytes: this.#highest || undefined,
    };
  }
}

function watchedOf(instance: Instance): Watched[] {
  const { postgresPid, brokerPid } = instance;
  return [
    ...instance.hosts.map(
      ({ name, pid, modules }): Watched => ({
        name,
        role: 'host',
        modules,
        cpu: () => cpuSeconds(pid),
        pids: () => [pid],
      }),
    ),
    {
      name: 'postgres',
      role: 'postgres',
      modules: [],
      cpu: () => treeCpuSeconds(postgresPid),
      pids: () => treePids(postgresPid),
    },
    ...(brokerPid === undefined
      ? []
      : [
          {
            name: 'broker',
            role: 'broker' as const,
            modules: [],
            cpu: () => cpuSeconds(brokerPid),
            pids: () => [brokerPid],
          },
        ]),
  ];
}
