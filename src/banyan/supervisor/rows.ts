// What a supervisor reads out of the control tables' rows. Pure, but for the look at a process.

import { isAlive, type ProcessIdentity } from '../context/process.ts';
import { isHealthy, isLive } from '../placement/picture.ts';
import type { HostRow, ServiceRow, Tables } from '../placement/tables.ts';
import type { Snapshot } from '../routing/snapshot.ts';
import type { Claim } from './keeper.ts';

export const idOf = ({ module, number }: Pick<ServiceRow, 'module' | 'number'>) => `${module}-${number}`;
export const moduleOf = (id: string) => id.replace(/-\d+$/, '');

export function processOf({ machine, pid, started }: ServiceRow): ProcessIdentity | undefined {
  return machine && pid && started ? { machine, pid, started } : undefined;
}

export function isLeaving(tables: Tables, id: string, { machine, pid }: ProcessIdentity): boolean {
  return tables.hosts.some(
    (one) => one.id === id && one.machine === machine && one.pid === pid && !isServing(one),
  );
}

/**
 * Its process was taken out of the registry because it said nothing (sweep.ts believes silence with care: an outage of
 * the store makes nobody silent), and that is longer ago than `ms`. One that cannot reach its own store still beats.
 */
export function isSilent(tables: Tables, row: ServiceRow, ms: number): boolean {
  return tables.hosts.some(
    (one) =>
      one.id === idOf(row) &&
      one.machine === row.machine &&
      one.pid === row.pid &&
      !one.live &&
      one.silence > ms,
  );
}

export function runs(row: ServiceRow): boolean {
  const left = processOf(row);
  return left !== undefined && isAlive(left) === true;
}

/** Whose the number is: its row says who looks after it, and the registry whether a stranger's process has its id. */
export function claimOf(tables: Tables, id: string, supervisor: string): Claim {
  const row = tables.services.find((one) => idOf(one) === id);
  if (row?.supervisor !== supervisor) return 'another-supervisor';
  const holder = tables.hosts.find((one) => one.id === id && isLive(one) && isHealthy(one) && isServing(one));
  const gone = holder && isAlive(holder) === false;
  return holder && !gone ? 'served-elsewhere' : 'ours';
}

/** Another process than that serves under the id. */
export function healthyBesides({ modules }: Snapshot, id: string, host: string): boolean {
  const instances = modules[moduleOf(id)]?.instances ?? [];
  return instances.some((one) => one.id === id && one.healthy && one.host !== host);
}

export function isServing(host: HostRow): boolean {
  return !host.draining && !host.retiring && !host.replaceable;
}
