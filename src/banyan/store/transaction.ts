// Open transactions as a module gets them: its statements and its events commit or roll back together. While
// one is open the flow says so, and where the host is strict a ref called in it throws and names the line.
// What loses a conflict is run again (retry.ts), so work does nothing but through its transaction.
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { currentFlow, type Flow, withFlow } from '../context/call.ts';
import { newTraceparent } from '../context/trace.ts';
import { type Handover, withHandover } from './prisma-connection.ts';
import { withRetries } from './retry.ts';
import type { Publisher, Sql, Store, Transaction, TransactionClient } from './store.ts';

/** What Prisma's client has that interactive transactions need. */
export interface TransactingClient {
  $transaction<T>(
    work: (tx: unknown) => Promise<T>,
    options: { maxWait: number; timeout: number },
  ): Promise<T>;
}

export interface TransactionOptions {
  readonly publisher: Publisher;
  readonly strict: boolean;
  /** Called after a commit that published something. */
  readonly onCommit: () => void;
  readonly log?: Pick<Logger, 'error'>;
}

/** Waiting for a connection, and running, in milliseconds: a transaction that takes longer is a defect. */
const limits = { maxWait: 10_000, timeout: 15_000 };

export function prismaTransactions<P>(
  client: P & TransactingClient,
  options: TransactionOptions,
): Store<P>['transaction'] {
  return (work) =>
    run(options, async (open) => {
      const handover: Handover = {};
      return withHandover(handover, () =>
        client.$transaction(
          (prisma) => open(sqlOf(handover), (tx) => work({ ...tx, prisma: prisma as TransactionClient<P> })),
          limits,
        ),
      );
    });
}

export function rawTransactions(pool: Pool, options: TransactionOptions): Store['rawTransaction'] {
  return (work) =>
    run(options, async (open) => {
      const client = await pool.connect();
      const handover: Handover = { client };
      let broken: Error | undefined;
      try {
        await client.query('BEGIN');
        const result = await open(sqlOf(handover), (tx) => work({ ...tx, prisma: undefined as never }));
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch((cause: Error) => {
          broken = cause;
        });
        throw error;
      } finally {
        handover.client = undefined;
        // A connection that could not roll back must not serve anybody else.
        client.release(broken);
      }
    });
}

type Open = <T>(sql: Sql, work: (tx: Omit<Transaction, 'prisma'>) => Promise<T>) => Promise<T>;

/** What both kinds share: the flow's mark, events, what comes after the commit, another try after a conflict. */
async function run<T>(options: TransactionOptions, transact: (open: Open) => Promise<T>): Promise<T> {
  const where = options.strict ? opener() : undefined;
  const { result, after, published } = await withRetries(async (begun) => {
    const after: (() => void)[] = [];
    const published: Promise<void>[] = [];
    const result = await transact((sql, work) => {
      begun();
      return marked(where, async () => {
        const done = await work({
          sql,
          publish(event, data) {
            const written = options.publisher(sql, event, data);
            published.push(written);
            return written;
          },
          emitted() {
            published.push(Promise.resolve());
          },
          afterCommit(wish) {
            after.push(wish);
          },
        });
        // Also what was published and not awaited: no commit without it.
        await Promise.all(published);
        return done;
      });
    });
    return { result, after, published };
  });
  // It has committed: nothing that fails from here on may say otherwise.
  for (const wish of published.length > 0 ? [options.onCommit, ...after] : after) {
    try {
      wish();
    } catch (error) {
      options.log?.error({ err: error }, 'what was to follow a commit failed');
    }
  }
  return result;
}

/** The connection as a port, for as long as the transaction is open. */
function sqlOf(handover: Handover): Sql {
  return {
    async query(text, values, name) {
      if (!handover.client)
        throw new Error('The transaction is over: its `sql` was used after its work had ended.');
      const { rows, rowCount } = await handover.client.query({
        text,
        values: values as unknown[],
        ...(name ? { name } : {}),
      });
      return { rows, rowCount: rowCount ?? 0 };
    },
  };
}

/** Runs the work with the mark in its flow. The mark goes when the work ends, also for what it left running. */
async function marked<T>(where: string | undefined, work: () => Promise<T>): Promise<T> {
  if (where === undefined) return work();
  let open = true;
  const flow = currentFlow() ?? { deadline: Number.POSITIVE_INFINITY, traceparent: newTraceparent() };
  // A spread would ask every getter of a call's flow now: inherit, and ask its signal of the flow itself.
  const inside: Flow = Object.create(flow, {
    signal: { get: () => flow.signal },
    transaction: { get: () => (open ? where : flow.transaction) },
  });
  try {
    return await withFlow(inside, work);
  } finally {
    open = false;
  }
}

/** File and line of the module's code that opened the transaction. */
function opener(): string {
  const frames = new Error().stack?.split('\n').slice(1) ?? [];
  const own = frames.find(
    (frame) => !/node:|\/node_modules\/|\/banyan\/store\/[a-z-]+\.ts:/.test(frame) && frame.includes('/'),
  );
  return /((?:src|test|bench|scripts)\/[^)]+)\)?$/.exec(own ?? '')?.[1] ?? 'an unknown line';
}
