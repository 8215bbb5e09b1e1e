// The words for an architecture: `monolith`, `services`, `services:orders; catalog x2`. A list says which modules
// are services, with how many processes; whatever it does not name stays in the monolith's process.
import { Refusal } from '../errors/refusal.ts';
import type { TopologyInfo } from '../format/report.ts';

export interface Topology {
  readonly text: string;
  readonly label: string;
  /** Processes of each extracted module, in the order of their names; nothing in-process is in it. */
  readonly services: ReadonlyMap<string, number>;
}

const MOST = 16;

export function parseTopology(text: string, modules: readonly string[]): Topology {
  const given = text.trim().replaceAll(/\s+/g, ' ');
  if (given === 'monolith') return topologyOf(given, new Map(), modules);
  const found = /^services(?:\s*:\s*(.+))?$/.exec(given);
  if (!found) {
    throw bad(`"${given}" is no shape.`);
  }
  if (found[1] === undefined) return topologyOf(given, new Map(modules.map((one) => [one, 1])), modules);
  const services = new Map<string, number>();
  for (const part of found[1].split(/[;,]/).map((one) => one.trim())) {
    const item = /^([a-z][a-z0-9-]*)(?:\s*x\s*(\d+))?$/.exec(part);
    const [module, count] = [item?.[1] ?? part, Number(item?.[2] ?? 1)];
    if (!item || !modules.includes(module)) throw bad(`"${part}" names no module of ${modules.join(', ')}.`);
    if (services.has(module)) throw bad(`${module} is named twice.`);
    if (count < 1 || count > MOST) throw bad(`A module has 1 to ${MOST} processes, not ${count}.`);
    services.set(module, count);
  }
  return topologyOf(given, services, modules);
}

function bad(detail: string): Refusal {
  return new Refusal(
    'shape-unknown',
    'There is no such shape',
    detail,
    'Use monolith, services, services:orders, or "services:orders; catalog x2"',
  );
}

function topologyOf(text: string, services: Map<string, number>, modules: readonly string[]): Topology {
  const sorted = new Map([...services].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { text, label: labelOf(sorted, modules), services: sorted };
}

function labelOf(services: ReadonlyMap<string, number>, modules: readonly string[]): string {
  if (services.size === 0) return 'monolith';
  const many = [...services].filter(([, count]) => count > 1).map(([module, count]) => `${module} x${count}`);
  if (services.size === modules.length) return ['all as services', ...many].join(', ');
  const names = [...services].map(([module, count]) => (count > 1 ? `${module} x${count}` : module));
  return `${names.join(', ')} extracted`;
}

export function describeTopology(
  { text, label, services }: Topology,
  modules: readonly string[],
): TopologyInfo {
  const counts = [...services.values()].reduce((sum, count) => sum + count, 0);
  return {
    text,
    label,
    modules: modules.map((module) => ({
      module,
      placement: services.has(module) ? 'service' : 'in-process',
      instances: services.get(module) ?? 0,
    })),
    processes: 1 + counts,
  };
}
