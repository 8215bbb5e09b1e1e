// The hosts that are alive, as Prometheus is told them. From the registry alone, so every monolith and gateway answers the
// same; a host that is silent for three seconds is not in the answer, and one that comes back is.
import type { Handlers } from '../contract/handlers.ts';
import { storeErrors } from '../placement/admin.ts';
import { isLive } from '../placement/picture.ts';
import type { ControlStore } from '../placement/store.ts';
import type { HostRow } from '../placement/tables.ts';
import type { discovery, Group } from './discovery-contract.ts';

export function discoveryHandlers(store: Pick<ControlStore, 'read'>): Handlers<typeof discovery> {
  return {
    targets: () => storeErrors(async () => targetsOf((await store.read()).hosts)),
  };
}

export type Registered = Pick<HostRow, 'id' | 'role' | 'modules' | 'url' | 'live' | 'silence'>;

/** Those that live, by their ids. */
export function targetsOf(hosts: readonly Registered[]): Group[] {
  return hosts
    .filter(isLive)
    .map(groupOf)
    .sort((a, b) => a.labels.host.localeCompare(b.labels.host, 'en', { numeric: true }));
}

function groupOf({ id, role, modules, url }: Registered): Group {
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === 'https:';
  return {
    // Prometheus takes no target without a port.
    targets: [`${hostname}:${port || (secure ? 443 : 80)}`],
    labels: {
      host: id,
      role,
      modules: role === 'monolith' ? 'all' : role === 'gateway' ? 'none' : modules.join(','),
      __scheme__: secure ? 'https' : 'http',
    },
  };
}
