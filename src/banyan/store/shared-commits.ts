// Writes of one statement each that come together share a transaction, sent as one pipeline: one round trip and one
// wait for the disk for all of them. What comes while others are under way is the next transaction; a statement that
// comes alone goes alone.
// Asynchronous ones do not wait for the disk: what a crash of the database server may then lose (its last half second) is
// only done again, a lease, or a step that can be asked for twice. Commits keep their order, so whatever rests on it
// is lost with it. Never with an event, or anything that a client was told.
// Guarantees: a statement's promise resolves when it has committed. One that fails takes no other with it: all of
// them are rolled back and run again by themselves. Nothing is run again whose commit may have happened.
// It must not know what is written. A statement that changes a setting of its transaction does not belong here.
import type { Pool, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { isTrial } from '../context/trial.ts';
import type { ModulePool } from '../postgres/module-pool.ts';
import { Batcher } from './batcher.ts';
import { Statements } from './statements.ts';
import type { Sql } from './store.ts';

/** Transactions at once: one works while the other waits for the disk. */
const AT_ONCE = 2;
/**
 * Asynchronous ones find their rows by an index, always: a claim that was planned while its table was small would else scan
 * it when it has grown.
 */
const begins = {
  durable: 'BEGIN',
  async: 'BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL enable_seqscan = off',
};
/** Less than the second after which the database looks for deadlocks: what conflicts is better off alone. */
export const LOCK_TIMEOUT_MS = 250;
export const LOCK_TIMEOUT = `; SET LOCAL lock_timeout = '${LOCK_TIMEOUT_MS}ms'`;
/** As a pool does: who has waited so long to be begun gets an error, and is not begun any more. */
export const WAIT_MS = 10_000;
/** More than its statements may take by their own limits: then the connection is given up, and others go on. */
const GIVEN_UP_MS = 40_000;

interface Write {
  readonly statement: QueryConfig;
  begun: boolean;
  answer?: PromiseSettledResult<QueryResult>;
}

export function sharedCommits(
  pool: Pool & Partial<Pick<ModulePool, 'again'>>,
  how: 'durable' | 'async',
  statements = new Statements(),
  waitMs = WAIT_MS,
): Sql {
  const batcher = new Batcher<Write>({
    atOnce: AT_ONCE,
    estimate: () => 0,
    releaseAfterMs: LOCK_TIMEOUT_MS,
    together: (lists) => together(pool, begins[how] + LOCK_TIMEOUT, lists.flat()),
    async alone([write]) {
      write!.begun = true;
      const one = () => together(pool, begins[how], [write!]);
      if (how === 'async') await (pool.again?.(one) ?? one());
      else [write!.answer] = await Promise.allSettled([pool.query(write!.statement)]);
    },
  });
  return {
    async query(text, values) {
      const statement = statements.of(text, values);
      // A trial shares a transaction with nobody.
      if (isTrial()) return asSql(await pool.query(statement));
      const write: Write = { statement, begun: false };
      await inTime(write, waitMs, (signal) => batcher.add([write], signal));
      const answer = write.answer!;
      if (answer.status === 'rejected') throw answer.reason;
      return asSql(answer.value);
    },
  };
}

function asSql<R extends QueryResultRow>({
  rows,
  rowCount,
}: QueryResult<R>): { rows: R[]; rowCount: number } {
  return { rows, rowCount: rowCount ?? 0 };
}

/** Rejects when it was not begun in time; it is never begun then. */
export async function inTime(
  write: { readonly begun: boolean },
  waitMs: number,
  add: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const late = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    if (write.begun) return;
    late.abort();
    // In the words by which an outage is known (outage.ts).
    reject(
      Object.assign(new Error(`The database took no write for ${waitMs / 1000} s`), { code: 'ETIMEDOUT' }),
    );
  }, waitMs);
  try {
    await Promise.race([add(late.signal), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Throws when all of them were rolled back; else each has its answer. */
async function together(pool: Pool, begin: string, writes: readonly Write[]): Promise<void> {
  for (const write of writes) write.begun = true;
  const client = await pool.connect().catch((error: Error) => error);
  if (client instanceof Error) {
    for (const write of writes) write.answer = { status: 'rejected', reason: client };
    return;
  }
  const begun = client.query(begin);
  const running = writes.map(({ statement }) => client.query(statement));
  const [[ended], answers] = await Promise.all([
    Promise.allSettled([client.query({ text: 'COMMIT', query_timeout: GIVEN_UP_MS } as QueryConfig), begun]),
    Promise.allSettled(running),
  ]);
  client.release(ended.status === 'rejected' ? ended.reason : undefined);
  if (wasRolledBack(ended)) throw reasonOf([...answers, ended]);
  writes.forEach((write, n) => {
    write.answer = ended.status === 'rejected' ? ended : answers[n]!;
  });
}

function reasonOf(settled: readonly PromiseSettledResult<unknown>[]): unknown {
  return settled.find((one) => one.status === 'rejected')?.reason;
}

/** For sure. After a lost connection nobody knows. */
function wasRolledBack(ended: PromiseSettledResult<QueryResult>): boolean {
  return ended.status === 'fulfilled'
    ? ended.value.command === 'ROLLBACK'
    : ended.reason?.severity === 'ERROR';
}
