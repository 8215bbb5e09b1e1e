// The local processes that are wanted: numbered rows per module, each looked after by one supervisor.
// They outlive a restart, so that a monolith starts again what it ran. Which host's belief counts is decided
// here: only the supervisor in the row starts or stops that number.

import type { ProcessIdentity } from '../context/process.ts';
import type { Sql } from '../store/store.ts';
import { writeAct } from './act-rows.ts';
import type { Change } from './change.ts';
import { healthyInstance } from './flags.ts';

export type WantOutcome = 'done' | 'unknown-module' | 'last-instance';

export interface Services {
  /**
   * N processes of the module in all, numbered from 1; new ones are looked after by `supervisor`. Refuses to
   * take away the last healthy instance of a module whose service gets requests. Forgets past failures.
   * @param by who wants it; null: a host, by itself.
   */
  want(module: string, count: number, supervisor: string | null, by?: string | null): Promise<WantOutcome>;
  /** Takes over the rows whose supervisor is not in the registry any more. */
  claim(supervisor: string): Promise<void>;
  /** Lets go of all its rows; another monolith may claim them. */
  release(supervisor: string): Promise<void>;
  started(module: string, number: number, process: ProcessIdentity): Promise<void>;
  /** The process ended, or became healthy (failures 0, no last exit). */
  noted(module: string, number: number, failures: number, lastExit: string | null): Promise<void>;
  /** Nothing runs for it any more: an unwanted row goes, a wanted one forgets its process. */
  stopped(module: string, number: number): Promise<void>;
}

const ABANDONED = `(supervisor IS NULL OR supervisor NOT IN (SELECT host FROM host WHERE live))`;

export function createServices(sql: Sql, change: Change): Services {
  return {
    want: async (module, count, supervisor, by = null) => {
      let outcome: WantOutcome = 'done';
      await change(async (tx) => {
        outcome = await wantIn(tx, { module, count, supervisor, by });
        return outcome === 'done';
      });
      return outcome;
    },

    claim: async (supervisor) => {
      await change(async (tx) => {
        const { rowCount } = await tx.query(`UPDATE service SET supervisor = $1 WHERE ${ABANDONED}`, [
          supervisor,
        ]);
        return rowCount > 0;
      });
    },

    release: async (supervisor) => {
      await change(async (tx) => {
        const { rowCount } = await tx.query('UPDATE service SET supervisor = NULL WHERE supervisor = $1', [
          supervisor,
        ]);
        return rowCount > 0;
      });
    },

    started: async (module, number, { machine, pid, started }) => {
      await sql.query(
        'UPDATE service SET machine = $3, pid = $4, started = $5 WHERE module = $1 AND number = $2',
        [module, number, machine, pid, started],
      );
    },

    noted: async (module, number, failures, lastExit) => {
      await sql.query('UPDATE service SET failures = $3, last_exit = $4 WHERE module = $1 AND number = $2', [
        module,
        number,
        failures,
        lastExit,
      ]);
    },

    stopped: async (module, number) => {
      await change(async (tx) => {
        const gone = await tx.query('DELETE FROM service WHERE module = $1 AND number = $2 AND NOT wanted', [
          module,
          number,
        ]);
        await tx.query(
          'UPDATE service SET machine = NULL, pid = NULL, started = NULL WHERE module = $1 AND number = $2',
          [module, number],
        );
        return gone.rowCount > 0;
      });
    },
  };
}

interface Wish {
  readonly module: string;
  readonly count: number;
  readonly supervisor: string | null;
  readonly by: string | null;
}

async function wantIn(tx: Sql, { module, count, supervisor, by }: Wish): Promise<WantOutcome> {
  const { rows } = await tx.query<{ placement: string; before: number }>(
    `SELECT placement, (SELECT count(*)::int FROM service s WHERE s.module = $1 AND s.wanted) AS before
     FROM placement WHERE module = $1`,
    [module],
  );
  if (!rows[0]) return 'unknown-module';
  const { placement, before } = rows[0];
  if (placement !== 'in-process' && !(await leavesOne(tx, module, count))) return 'last-instance';
  await tx.query('UPDATE service SET wanted = false WHERE module = $1 AND number > $2', [module, count]);
  await tx.query(
    `INSERT INTO service (module, number, supervisor) SELECT $1, n, $3 FROM generate_series(1, $2::int) n
     ON CONFLICT (module, number) DO UPDATE SET wanted = true, failures = 0`,
    [module, count, supervisor],
  );
  const detail = { before, after: count };
  if (before !== count)
    await writeAct(tx, { source: 'service', module, by, what: wantedInWords(module, count), detail });
  return 'done';
}

const wantedInWords = (module: string, count: number) =>
  `wanted ${count === 0 ? 'no process' : count === 1 ? '1 process' : `${count} processes`} of ${module}`;

/** Whether a healthy instance stays when all numbers above `count` go. */
async function leavesOne(tx: Sql, module: string, count: number): Promise<boolean> {
  const { rows } = await tx.query<{ going: boolean }>(
    `SELECT EXISTS (SELECT FROM service WHERE module = $1 AND number > $2 AND host.id = $1 || '-' || number) AS going
     FROM host WHERE ${healthyInstance(1)}`,
    [module, count],
  );
  // With none healthy now there is nothing to protect, but what should restart must stay.
  return rows.length === 0 ? count > 0 : rows.some(({ going }) => !going);
}
