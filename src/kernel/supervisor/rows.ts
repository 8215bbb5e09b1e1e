// What a supervisor reads out of the control tables' rows. Pure, but for the look at a process.
import { isAlive, type ProcessIdentity } from '../placement/process.ts';
import type { HostRow, ServiceRow, Tables } from '../placement/tables.ts';

export const idOf = ({ module, number }: Pick<ServiceRow, 'module' | 'number'>) => `${module}-${number}`;
export const moduleOf = (id: string) => id.replace(/-\d+$/, '');

export function processOf({ machine, pid, started }: ServiceRow): ProcessIdentity | undefined {
  return machine && pid && started ? { machine, pid, started } : undefined;
}

export function isLeaving(tables: Tables, { machine, pid }: ProcessIdentity): boolean {
  return tables.hosts.some((one) => one.machine === machine && one.pid === pid && !isServing(one));
}

/**
 * Its process was taken out of the roster because it said nothing (sweep.ts believes silence with care: an outage of
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

export function isServing(host: HostRow): boolean {
  return !host.draining && !host.retiring && !host.replaceable;
}
