// One look of a supervisor: what runs here is made to agree with the rows that name this monolith, and rows that
// nobody looks after are claimed first. Decides for each row whether its process is kept, ended or replaced; the
// keepers do it.

import { isAlive } from '../context/process.ts';
import { isLive } from '../placement/picture.ts';
import type { ControlStore } from '../placement/store.ts';
import type { HostRow, ServiceRow, Tables } from '../placement/tables.ts';
import type { Keepers } from './keepers.ts';
import { turnOver } from './log-file.ts';
import { idOf, isLeaving, isServing, isSilent, processOf } from './rows.ts';

/** The control tables, once every row that nobody looks after is this host's. */
export async function claimedTables(store: ControlStore, host: string): Promise<Tables> {
  const tables = await store.read();
  const live = new Set(tables.hosts.filter((one) => one.live).map((one) => one.host));
  if (tables.services.every(({ supervisor }) => supervisor !== null && live.has(supervisor))) return tables;
  await store.services.claim(host);
  return store.read();
}

export interface Look {
  readonly host: string;
  readonly dataDir: string;
  /** A process that said nothing for this long, while it lives, is replaced. */
  readonly silentMs: number;
}

/** Makes what runs here agree with the rows that are ours. */
export function reconcile(keepers: Keepers, tables: Tables, { host, dataDir, silentMs }: Look): void {
  const ours = tables.services.filter(({ supervisor }) => supervisor === host);
  keepers.release((id) => ours.some((row) => idOf(row) === id));
  for (const row of ours) {
    const id = idOf(row);
    turnOver(dataDir, id);
    if (row.wanted && isSilent(tables, row, silentMs)) keepers.get(id)?.replace(silentMs);
    const stale = row.wanted && !keepers.isLeaving(id) && staleHost(keepers, tables, row);
    if (!row.wanted) void keepers.retire(row);
    else if (stale && keepers.has(id)) void keepers.renew(row, stale);
    else if (keepers.has(id)) row.failures === 0 && keepers.get(id)!.retryNow();
    else if (!keepers.isLeaving(id)) takeUp(keepers, tables, row);
  }
}

/** The process of this number serves by a key that is not given any more. */
function staleHost(keepers: Keepers, tables: Tables, row: ServiceRow): HostRow | undefined {
  return tables.hosts.find(
    (one) =>
      one.id === idOf(row) &&
      one.pid === row.pid &&
      one.machine === row.machine &&
      isLive(one) &&
      isServing(one) &&
      keepers.isStale(one),
  );
}

/** A row without a keeper: its process runs and serves, hangs about, or does not exist. */
function takeUp(keepers: Keepers, tables: Tables, row: ServiceRow): void {
  const left = processOf(row);
  const holder = tables.hosts.find((one) => one.id === idOf(row) && isLive(one) && isServing(one));
  const running = left && isAlive(left) ? left : undefined;
  if (holder && running && holder.machine === running.machine && holder.pid === running.pid) {
    // Of the version before, and not let in: it serves nobody.
    if (holder.kid === null && keepers.isStale(holder)) void keepers.replace(row, running);
    else keepers.keep(row, running);
  } else if (holder)
    return; // It runs elsewhere, and serves: nothing to do until it is gone.
  else if (running && !isLeaving(tables, idOf(row), running)) void keepers.replace(row, running);
  else keepers.keep(row); // One that drains by another's order has freed the id.
}
