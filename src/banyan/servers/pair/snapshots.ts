// Both servers' stores at one instant, to be read at leisure: two transactions that see it for as long as they are open. Guarantee:
// what they see is alike if nothing was lost, because they are taken while nobody writes and all was applied.
import type pg from 'pg';
import type { Between } from './moving.ts';
import { endSoon, openSession } from './sessions.ts';

export interface Snapshots extends Between {
  readonly here: pg.Client;
  readonly there: pg.Client;
  close(): void;
}

/** Sessions that wait for the instant: opening them takes longer than it. */
export interface Ready {
  take(): Promise<Snapshots>;
  close(): void;
}

const TAKE = `SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET extra_float_digits = 1;
  SET bytea_output = 'hex'; SET search_path = pg_catalog`;

export async function readySnapshots(between: Between): Promise<Ready> {
  const { source, target, moving } = between;
  const purpose = `verify ${moving.module}`;
  const here = await openSession(source, purpose);
  let there: pg.Client;
  try {
    there = await openSession(target, purpose);
  } catch (error) {
    endSoon(here);
    throw error;
  }
  const close = () => {
    endSoon(here);
    endSoon(there);
  };
  try {
    await Promise.all([here, there].map((client) => client.query(TAKE)));
  } catch (error) {
    close();
    throw error;
  }
  return {
    close,
    async take() {
      await Promise.all(
        [here, there].map((client) =>
          client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot()'),
        ),
      );
      return { ...between, here, there, close };
    },
  };
}
