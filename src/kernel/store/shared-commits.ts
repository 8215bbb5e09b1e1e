// Writes of one statement each that come together share a transaction, sent as one pipeline: one round trip and one
// wait for the disk for all of them. What comes while others are under way is the next transaction; a statement that
// comes alone goes alone.
// Unhurried ones do not wait for the disk: what a crash of the database server may then lose (its last half second) is
// only done again, a lease, or a step that can be asked for twice. Commits keep their order, so whatever rests on it
// is lost with it. Never with an event, or anything that a client was told.
// Guarantees: a statement's promise resolves when it has committed. One that fails takes no other with it: all of
// them are rolled back and run again by themselves. Nothing is run again whose commit may have happened.
// It must not know what is written. A statement that changes a setting of its transaction does not belong here.
import type { Pool, QueryResult } from 'pg';
import { Groups } from '../groups.ts';
import type { Sql } from './store.ts';

/** Transactions at once: one works while the other waits for the disk. */
const AT_ONCE = 2;
const begins = { durable: 'BEGIN', unhurried: 'BEGIN; SET LOCAL synchronous_commit = off' };
/** Less than the second after which the database looks for deadlocks: what conflicts is better off alone. */
const IMPATIENT = `; SET LOCAL lock_timeout = '250ms'`;

interface Write {
  readonly statement: { readonly text: string; readonly values?: unknown[]; readonly name?: string };
  answer?: PromiseSettledResult<QueryResult>;
}

export function sharedCommits(pool: Pool, how: 'durable' | 'unhurried'): Sql {
  const groups = new Groups<Write>({
    atOnce: AT_ONCE,
    estimate: () => 0,
    together: (lists) => together(pool, begins[how] + IMPATIENT, lists.flat()),
    async alone([write]) {
      if (how === 'unhurried') await together(pool, begins[how], [write!]);
      else [write!.answer] = await Promise.allSettled([pool.query(write!.statement)]);
    },
  });
  return {
    async query(text, values, name) {
      const write: Write = {
        statement: { text, ...(values ? { values: [...values] } : {}), ...(name ? { name } : {}) },
      };
      await groups.add([write], never);
      const answer = write.answer!;
      if (answer.status === 'rejected') throw answer.reason;
      return { rows: answer.value.rows, rowCount: answer.value.rowCount ?? 0 };
    },
  };
}

const never = new AbortController().signal;

/** Throws when all of them were rolled back; else each has its answer. */
async function together(pool: Pool, begin: string, writes: readonly Write[]): Promise<void> {
  const client = await pool.connect().catch((error: Error) => error);
  if (client instanceof Error) {
    for (const write of writes) write.answer = { status: 'rejected', reason: client };
    return;
  }
  const begun = client.query(begin);
  const running = writes.map(({ statement }) => client.query(statement));
  const [[ended], answers] = await Promise.all([
    Promise.allSettled([client.query('COMMIT'), begun]),
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
