// Who writes to the store of a test all the time, as a module's hosts do: held and let go, sent to another server, and with an
// account of what was acknowledged.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { openPool } from '../../postgres/connections.ts';

export interface Writers {
  /** At the server that they write to: nobody begins, and resolves when nothing is open. */
  hold(): Promise<readonly string[]>;
  release(): Promise<void>;
  /** From now on they write there; also lets them go on. */
  switchTo(url: string): Promise<void>;
  /** Of those that were acknowledged. */
  readonly written: Set<string>;
  readonly failed: string[];
  /** Since the last call: the longest time from when a write was asked for until it was done, in ms. */
  longest(): number;
  stop(): Promise<void>;
}

/**
 * So many writes a second; each is a parcel with two lines, and a change of the one before.
 * @param patienceMs so long a write that failed is tried again: its id makes it safe.
 */
export function startWriters(url: string, perSecond: number, patienceMs = 0): Writers {
  const open = (at: string) => openPool({ connectionString: at, max: 5 });
  let pool = open(url);
  let gate: PromiseWithResolvers<void> | undefined;
  const under = new Set<Promise<Error | undefined>>();
  const asked = new Set<Promise<void>>();
  const written = new Set<string>();
  const failed: string[] = [];
  let longest = 0;
  let before = randomUUID();
  const write = async () => {
    const begun = performance.now();
    const id = randomUUID();
    for (let error: Error | undefined; ; ) {
      while (gate) await gate.promise;
      const work = writeOne(pool, id, before).then(
        () => undefined,
        (one: Error) => one,
      );
      under.add(work);
      error = await work.finally(() => under.delete(work));
      if (!error) break;
      if (performance.now() - begun > patienceMs) {
        failed.push(error.message);
        return;
      }
      await pause(50);
    }
    written.add(id);
    before = id;
    longest = Math.max(longest, performance.now() - begun);
  };
  const timer = setInterval(() => {
    const one = write();
    asked.add(one);
    void one.finally(() => asked.delete(one));
  }, 1000 / perSecond);
  const release = async () => {
    const held = gate;
    gate = undefined;
    held?.resolve();
  };
  return {
    written,
    failed,
    release,
    async hold() {
      gate ??= Promise.withResolvers();
      await Promise.all(under);
      return [];
    },
    async switchTo(to) {
      // A pool that ends serves nobody who waits for it.
      gate ??= Promise.withResolvers();
      await Promise.all(under);
      const old = pool;
      pool = open(to);
      await release();
      await old.end();
    },
    longest() {
      const was = longest;
      longest = 0;
      return was;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(asked);
      if (!pool.ended) await pool.end();
    },
  };
}

async function writeOne(pool: pg.Pool, id: string, before: string): Promise<void> {
  const client = await pool.connect();
  let lost: Error | undefined;
  try {
    await client.query('BEGIN');
    await client.query('INSERT INTO parcel (id, n) VALUES ($1, 1)', [id]);
    await client.query('INSERT INTO parcel_line (parcel, weight) VALUES ($1, random()), ($1, 2)', [id]);
    await client.query('UPDATE parcel SET n = n + 1 WHERE id = $1', [before]);
    await client.query('COMMIT');
  } catch (error) {
    lost = error as Error;
    // It was done by the try before, which did not hear of it.
    if ((error as { code?: string }).code === '23505') return;
    throw error;
  } finally {
    client.release(lost);
  }
}
