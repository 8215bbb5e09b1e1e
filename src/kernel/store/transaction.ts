// Open transactions as a module gets them: its statements and its events commit or roll back together. While
// one is open the flow says so, and where the host is strict a ref called in it throws and names the line.
import type { Pool } from 'pg';
import { currentFlow, withFlow } from '../calls/call.ts';
import { newTraceparent } from '../calls/trace.ts';
import type { Publisher, Sql, Store, Transaction, TransactionClient } from './store.ts';

/** What Prisma's client has that interactive transactions need. */
export interface TransactingClient {
  $transaction<T>(
    work: (tx: RawClient) => Promise<T>,
    options: { maxWait: number; timeout: number },
  ): Promise<T>;
}

interface RawClient {
  $queryRawUnsafe<R>(text: string, ...values: unknown[]): Promise<R[]>;
  $executeRawUnsafe(text: string, ...values: unknown[]): Promise<number>;
}

export interface TransactionOptions {
  readonly publisher: Publisher;
  readonly strict: boolean;
  /** Called after a commit that published something. */
  readonly onCommit: () => void;
}

/** Waiting for a connection, and running, in milliseconds: a transaction that takes longer is a defect. */
const limits = { maxWait: 5_000, timeout: 10_000 };

export function prismaTransactions<P>(
  client: P & TransactingClient,
  options: TransactionOptions,
): Store<P>['transaction'] {
  return (work) =>
    inFlow(options.strict, async () => {
      const after = new AfterCommit(options.onCommit);
      const result = await client.$transaction((prisma) => {
        const handle = after.handle(sqlOfPrisma(prisma), options.publisher);
        return work({ ...handle, prisma: prisma as unknown as TransactionClient<P> });
      }, limits);
      after.run();
      return result;
    });
}

export function rawTransactions(pool: Pool, options: TransactionOptions): Store['rawTransaction'] {
  return (work) =>
    inFlow(options.strict, async () => {
      const client = await pool.connect();
      const after = new AfterCommit(options.onCommit);
      let broken: Error | undefined;
      let result: Awaited<ReturnType<typeof work>>;
      try {
        await client.query('BEGIN');
        result = await work({
          ...after.handle(client as unknown as Sql, options.publisher),
          prisma: undefined as never,
        });
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK').catch((cause: Error) => {
          broken = cause;
        });
        throw error;
      } finally {
        // A connection that could not roll back must not serve anybody else.
        client.release(broken);
      }
      after.run();
      return result;
    });
}

/** What to do once the transaction has committed, collected while it runs. */
class AfterCommit {
  readonly #onCommit: () => void;
  readonly #wishes: (() => void)[] = [];
  #published = false;

  constructor(onCommit: () => void) {
    this.#onCommit = onCommit;
  }

  handle(sql: Sql, publisher: Publisher): Omit<Transaction, 'prisma'> {
    return {
      sql,
      publish: (event, data) => {
        this.#published = true;
        return publisher(sql, event, data);
      },
      afterCommit: (work) => {
        this.#wishes.push(work);
      },
    };
  }

  run(): void {
    if (this.#published) this.#onCommit();
    for (const wish of this.#wishes) wish();
  }
}

/** A statement through Prisma: its rows when it has some to give, else the number of rows it touched. */
function sqlOfPrisma(prisma: RawClient): Sql {
  return {
    async query(text, values = []) {
      if (/^\s*(select|with|values)\b|\breturning\b/i.test(text)) {
        const rows = await prisma.$queryRawUnsafe<never>(text, ...values);
        return { rows, rowCount: rows.length };
      }
      return { rows: [], rowCount: await prisma.$executeRawUnsafe(text, ...values) };
    },
  };
}

function inFlow<T>(strict: boolean, work: () => Promise<T>): Promise<T> {
  if (!strict) return work();
  const flow = currentFlow() ?? { deadline: Number.POSITIVE_INFINITY, traceparent: newTraceparent() };
  // A spread would lose the getters of a call's flow (its signal): inherit instead.
  const inside = Object.create(flow, { transaction: { value: opener() } });
  return withFlow(inside, work);
}

/** File and line of the module's code that opened the transaction. */
function opener(): string {
  const frames = new Error().stack?.split('\n') ?? [];
  const own = frames.find(
    (frame) => /\/src\/(?!kernel\/store\/)/.test(frame) && !frame.includes('/node_modules/'),
  );
  return /((?:src|test)\/[^)]+)\)?$/.exec(own ?? '')?.[1] ?? 'an unknown line';
}
