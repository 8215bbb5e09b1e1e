// From the control tables to the snapshot that hosts decide by. Pure.

import type { Instance, ModulePlacement, PublicKey, ServiceIdentity, Snapshot } from '../routing/snapshot.ts';
import { own } from './canonical.ts';
import { LIVE_MS } from './schema.ts';
import type { HostRow, KeyPurpose, KeyRow, Tables } from './tables.ts';
import { placedIn } from './wish.ts';

/** Nothing is known yet: every module in-process, version 0, nobody to call. */
export const emptySnapshot: Snapshot = { version: 0, modules: {}, monoliths: [], revoked: {} };

export function snapshotOf(tables: Tables): Snapshot {
  const now = Date.now();
  const modules: Record<string, ModulePlacement> = {};
  for (const row of tables.placements) {
    const { module, changedAt, changedBy, age } = row;
    const instances = instancesOf(tables, module).map(instanceOf);
    const deploy = own(tables.deploys, module);
    const placed = { module, ...placedIn(row), changedAt, changedBy, stableSince: now - age };
    modules[module] = { ...placed, instances, ...(deploy && { deploy }) };
  }
  return {
    version: tables.version,
    modules,
    monoliths: tables.hosts.filter(({ role }) => role === 'monolith').map(instanceOf),
    revoked: tables.revoked,
    jwks: { keys: publicKeys(tables, 'session') },
    services: servicesOf(tables),
    seals: sealsOf(tables),
    operators: tables.operators,
    revokedSessions: tables.revokedSessions,
    replays: tables.replays,
    ...(tables.recordingUntil && { recordingUntil: tables.recordingUntil }),
    ...(Object.keys(tables.stores).length > 0 && { stores: tables.stores }),
  };
}

const publicKeys = ({ keys }: Tables, purpose: KeyPurpose) =>
  keys.filter((key) => key.purpose === purpose).map((key) => key.public);

function sealsOf({ keys }: Tables): NonNullable<Snapshot['seals']> {
  const seals: Record<string, readonly PublicKey[]> = {};
  for (const { purpose, name, public: key } of keys)
    if (purpose === 'seal') seals[name] = [...(seals[name] ?? []), key];
  return seals;
}

/** A name with several keys (one that was issued, one that comes after) has the modules of all; each key has its own. */
function servicesOf({ keys, uses }: Tables): NonNullable<Snapshot['services']> {
  const services: Record<string, ServiceIdentity> = {};
  const called = (modules: readonly string[]) => [
    ...new Set(modules.flatMap((module) => uses[module] ?? [])),
  ];
  const internal = keys.filter(({ purpose }) => purpose === 'internal');
  for (const { name, modules, public: key } of internal) {
    const known = services[name];
    const all = [...new Set([...(known?.modules ?? []), ...modules])];
    services[name] = { keys: [...(known?.keys ?? []), key], modules: all, uses: called(all) };
  }
  const isPart = ({ name, modules }: KeyRow) => modules.length < services[name]!.modules.length;
  for (const one of internal.filter(isPart)) {
    const { keys: all, ...rest } = services[one.name]!;
    const own = { ...one.public, for: { modules: one.modules, uses: called(one.modules) } };
    services[one.name] = { ...rest, keys: all.map((key) => (key.kid === own.kid ? own : key)) };
  }
  return services;
}

/** The service processes of a module by number, one per id: the newest that is healthy, else the newest. */
export function instancesOf(tables: Tables, module: string): HostRow[] {
  const byId = new Map<string, HostRow>();
  for (const host of tables.hosts)
    if (host.role === 'service' && host.modules.includes(module) && !betterKnown(byId.get(host.id), host))
      byId.set(host.id, host);
  return [...byId.values()].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

const betterKnown = (known: HostRow | undefined, newer: HostRow) =>
  known !== undefined && isHealthy(known) && !isHealthy(newer);

/** It takes requests. `live` is set to false, with a new version, when its heartbeats stop. */
export function isHealthy(host: HostRow): boolean {
  return host.live && host.ready && !host.draining && !host.retiring;
}

/** It can still acknowledge: it is known to live, and was heard of in the last 3 s. */
export function isLive(host: Pick<HostRow, 'live' | 'silence'>): boolean {
  return host.live && host.silence < LIVE_MS;
}

/** The ids of the live hosts that do not decide by this version yet. */
export function laggingOf(tables: Tables, version: number): string[] {
  return tables.hosts.filter((host) => isLive(host) && host.appliedVersion < version).map(({ id }) => id);
}

function instanceOf(host: HostRow): Instance {
  const { id, url, pid, doors, kid, release } = host;
  const healthy = isHealthy(host);
  const known = { id, host: host.host, url, pid, doors, healthy, ...(release !== null && { release }) };
  return kid === null ? { ...known, legacy: true } : known;
}
