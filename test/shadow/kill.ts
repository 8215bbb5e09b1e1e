// A process killed in the middle of a shadow, or frozen there. That it was in the middle is seen before: it is stopped first,
// and killed only where the database then shows a transaction of it, or for it, that is open and has written. What becomes of
// that is told.
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { ShadowRoom, Who } from './room.ts';

export interface Open {
  /** `banyan orders@callers`: the module, and the process that has it open. */
  readonly application: string;
  readonly role: string;
  readonly state: string;
  /** On rows and tables, of a kind that writers take. */
  readonly locks: number;
}

export interface Killed {
  readonly who: Who;
  /** Those that were open when it was killed. */
  readonly open: readonly Open[];
  /** Until nothing was open any more. */
  readonly endedMs: number;
}

export interface KillOptions {
  /** One shadow after the other, also while it fails. */
  readonly keepAsking: () => Promise<unknown>;
  /** Who has to have a transaction open then: the one that is killed, or a service that works for it. */
  readonly openAt: Who;
  /** It stays stopped until nothing is open any more, and goes on then, instead of being killed. */
  readonly frozen?: boolean;
  readonly signal?: AbortSignal;
}

const PATIENCE_MS = 60_000;

export async function killMidShadow(room: ShadowRoom, who: Who, options: KillOptions): Promise<Killed> {
  const { keepAsking, openAt, frozen = false, signal } = options;
  let over = false;
  const asking = [0, 1].map(async () => {
    while (!over) await keepAsking().catch(() => pause(1));
  });
  // Nobody goes on while it is looked whether all is as it has to be.
  const held = [...new Set([who, openAt])];
  const deadline = Date.now() + PATIENCE_MS;
  try {
    for (;;) {
      signal?.throwIfAborted();
      for (const one of held) room.signal(one, 'SIGSTOP');
      const open = (await openOf(room.database)).filter(({ application }) =>
        application.endsWith(`@${openAt}`),
      );
      if (open.length > 0) {
        over = true;
        const began = performance.now();
        if (!frozen) await room.kill(who);
        if (openAt !== who) room.signal(openAt, 'SIGCONT');
        await allEnded(room.database);
        const endedMs = performance.now() - began;
        if (frozen) room.signal(who, 'SIGCONT');
        return { who, open, endedMs };
      }
      for (const one of held) room.signal(one, 'SIGCONT');
      if (Date.now() > deadline) throw new Error(`${openAt} was never seen in the middle of a shadow`);
      await pause(Math.random() * 8);
    }
  } finally {
    over = true;
    await Promise.all(asking);
  }
}

/** Transactions that have written something. */
export async function openOf(database: pg.Client): Promise<Open[]> {
  const { rows } = await database.query<Open>(
    `SELECT application_name AS application, usename AS role, state,
       (SELECT count(*)::int FROM pg_locks WHERE pg_locks.pid = one.pid AND mode = 'RowExclusiveLock') AS locks
     FROM pg_stat_activity one
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL`,
  );
  return rows;
}

/** Of anybody but whoever looks. */
export async function allEnded(database: pg.Client): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { rows } = await database.query(
      `SELECT application_name AS application, state, left(query, 200) AS query, wait_event, now() - xact_start AS since,
         (SELECT count(*)::int FROM pg_locks WHERE pg_locks.pid = one.pid) AS locks
       FROM pg_stat_activity one
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
         AND backend_type = 'client backend'`,
    );
    if (rows.length === 0) return;
    if (Date.now() > deadline) throw new Error(`still open: ${JSON.stringify(rows)}`);
    await pause(2);
  }
}
