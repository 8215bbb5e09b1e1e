// From the control tables to what an operator sees. Pure: every monolith answers the same from them.
import type { Placement } from '../routing/snapshot.ts';
import type { Entry, InstanceStatus, Overview } from './admin-contract.ts';
import { own } from './canonical.ts';
import { instancesOf, isHealthy, isLive } from './picture.ts';
import type { HostRow, ServiceRow, Tables } from './tables.ts';
import { placedIn, wordFor } from './wish.ts';
import { ALWAYS_KNOWN } from './words.ts';

export function overviewOf(tables: Tables, monolith: Overview['monolith']): Overview {
  return {
    version: tables.version,
    monolith,
    monoliths: tables.hosts
      .filter(({ role }) => role === 'monolith')
      .map((host) => ({
        pid: host.pid,
        url: host.publicUrl ?? host.url,
        healthy: isServing(tables, host),
        ...releaseOf(host),
      })),
    modules: tables.placements.map(({ module }) => entryOf(tables, module)!),
  };
}

export function entryOf(tables: Tables, module: string): Entry | undefined {
  const row = tables.placements.find((one) => one.module === module);
  if (!row) return undefined;
  const { changedAt, changedBy } = row;
  const placed = placedIn(row);
  const services = tables.services.filter((service) => service.module === module);
  const tooOld = ignorantOf(tables, wordFor(placed));
  const desired = services.filter(({ wanted }) => wanted).length;
  const deploy = own(tables.deploys, module);
  return {
    module,
    ...placed,
    instances: listOf(tables, module, services),
    ...(deploy && { deploy: { ...deploy, before: [...deploy.before] } }),
    desired,
    changedAt,
    changedBy,
    ...(tooOld.length > 0 && { tooOld }),
  };
}

/** Whoever registers while the word is in use is not refused: to it the module is in-process, and is served rightly. */
function ignorantOf({ hosts }: Tables, word: Placement): string[] {
  if (ALWAYS_KNOWN.includes(word)) return [];
  return hosts.filter((host) => isLive(host) && !host.speaks.includes(word)).map(({ id }) => id);
}

function listOf(tables: Tables, module: string, services: readonly ServiceRow[]): InstanceStatus[] {
  const hosts = instancesOf(tables, module);
  const starting = services.filter(({ number }) => !hosts.some(({ id }) => id === `${module}-${number}`));
  return [
    ...hosts.map((host) =>
      registered(
        tables,
        host,
        module,
        services.find(({ number }) => host.id === `${module}-${number}`),
      ),
    ),
    ...starting.map((service) => unregistered(service)),
  ].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

function registered(
  tables: Tables,
  host: HostRow,
  module: string,
  service: ServiceRow | undefined,
): InstanceStatus {
  const heldOut = heldOutBy(tables, host);
  return {
    id: host.id,
    pid: host.pid,
    url: host.url,
    healthy: isServing(tables, host),
    ...releaseOf(host),
    supervised: service !== undefined && service.pid === host.pid && service.machine === host.machine,
    draining: host.draining || host.retiring,
    differences: host.differences
      .filter((one) => one.module === module)
      .map(({ path, message }) => ({ path, message })),
    ...(heldOut.length > 0 && { heldOut }),
    ...(service?.lastExit && !isHealthy(host) && { lastExit: service.lastExit }),
  };
}

const releaseOf = ({ release }: HostRow) => (release === null ? {} : { release });

/** It takes requests, and whoever has any sends them to it. */
function isServing(tables: Tables, host: HostRow): boolean {
  return isHealthy(host) && heldOutBy(tables, host).length === 0;
}

function heldOutBy(tables: Tables, { host }: HostRow): NonNullable<InstanceStatus['heldOut']> {
  return tables.hosts.flatMap((gateway) => {
    const held = isLive(gateway) ? gateway.held[host] : undefined;
    return held ? [{ by: gateway.id, ...held }] : [];
  });
}

function unregistered({ module, number, pid, lastExit }: ServiceRow): InstanceStatus {
  return {
    id: `${module}-${number}`,
    pid,
    url: null,
    healthy: false,
    supervised: true,
    draining: false,
    differences: [],
    ...(lastExit && { lastExit }),
  };
}
