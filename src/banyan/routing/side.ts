// Where a request of a client or a call between modules goes: to the services of its module, or to whoever runs all
// modules. Decided here and nowhere else, once for each; the router, refs, the proxy and the connections to other hosts
// read what was decided. A percentage rollout would be added here (there is none).
import type { Instance, Side, Snapshot } from './snapshot.ts';

/** The decision for one request or call. It ends on that side, also when the placement changes under way. */
export function sideOf(snapshot: Snapshot, module: string): Side {
  return isExtracted(snapshot, module) ? 'service' : 'in-process';
}

/** Who may be asked on that side, by the picture of the moment: instances come and go while a request waits. */
export function candidatesOf(
  { modules, monoliths }: Snapshot,
  module: string,
  side: Side,
): readonly Instance[] {
  return side === 'service' ? (modules[module]?.instances ?? []) : monoliths;
}

/** Whether the module serves from services of its own: for work that belongs to a module and to no request. */
export function isExtracted({ modules }: Snapshot, module: string): boolean {
  return modules[module]?.placement === 'service';
}
