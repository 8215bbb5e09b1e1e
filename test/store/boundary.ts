// Stops whoever walks a move at a boundary, from outside: triggers on its row let a write of a step wait until the test has
// done what it wants (before the write), or tell it as soon as the write has committed (after it). No line of the product
// knows of it.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Server } from '../rehearse/store/servers.ts';

export type Moment = 'before' | 'after';

export interface Boundary {
  readonly step: string;
  readonly moment: Moment;
}

const LOCK = 724_242;
const CHANNEL = 'boundary';

const TRIGGERS = `
  CREATE SCHEMA IF NOT EXISTS boundary;
  CREATE TABLE IF NOT EXISTS boundary.wanted (step text NOT NULL, moment text NOT NULL);
  CREATE OR REPLACE FUNCTION boundary.met() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
  DECLARE
    at text := NEW.walk->>'step';
  BEGIN
    IF at = OLD.walk->>'step' THEN RETURN NEW; END IF;
    IF TG_WHEN = 'BEFORE' AND EXISTS (SELECT FROM boundary.wanted WHERE step = at AND moment = 'before') THEN
      PERFORM pg_advisory_xact_lock_shared(${LOCK});
    ELSIF TG_WHEN = 'AFTER' AND EXISTS (SELECT FROM boundary.wanted WHERE step = at AND moment = 'after') THEN
      PERFORM pg_notify('${CHANNEL}', at);
    END IF;
    RETURN NEW;
  END $$;
  CREATE OR REPLACE TRIGGER boundary_before BEFORE UPDATE ON banyan_control.store_move FOR EACH ROW EXECUTE FUNCTION boundary.met();
  CREATE OR REPLACE TRIGGER boundary_after AFTER UPDATE ON banyan_control.store_move FOR EACH ROW EXECUTE FUNCTION boundary.met();`;

/** Arms it; `met` resolves when the walk is there. The walk goes on once it is called off, or its database is gone. */
export async function meet(
  shared: Server,
  { step, moment }: Boundary,
): Promise<{ met: Promise<void>; callOff(): Promise<void> }> {
  await shared.query(TRIGGERS);
  const client = new pg.Client({ connectionString: shared.url });
  client.on('error', () => {});
  await client.connect();
  await client.query(`LISTEN ${CHANNEL}`);
  await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
  let over = false;
  const met =
    moment === 'after'
      ? new Promise<void>((resolve) => client.once('notification', () => resolve()))
      : (async () => {
          while (!over && !(await waits(client))) await pause(1);
        })();
  await client.query('INSERT INTO boundary.wanted (step, moment) VALUES ($1, $2)', [step, moment]);
  return {
    met,
    async callOff() {
      over = true;
      await client.end().catch(() => {});
      await untilAnswered(() => shared.query('DELETE FROM boundary.wanted'));
    },
  };
}

async function waits(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ waits: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND mode = 'ShareLock') AS waits`,
  );
  return rows[0]!.waits;
}

/** A server that was killed is back within seconds. */
export async function untilAnswered<T>(ask: () => Promise<T>, withinMs = 30_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(50);
    }
  }
}
