// Prisma over one connection on which a transaction of ours is open. Its client believes that it has a database of its
// own: it opens no interactive transaction, so `tx.prisma` costs nothing where it is not used, and where it is not more
// than its queries. What Prisma does in a transaction by itself (nested writes) is part of ours.
// Guarantees: a query goes to the transaction in whose work it was made, or nowhere.
// A client is lent to one transaction at a time, and there are as many as transactions at once: the pool bounds them.
import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import type { OpenTransaction } from './open-transaction.ts';
import type { Statements } from './statements.ts';
import { isInside } from './turns.ts';

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>;
type PrismaTransaction = Awaited<ReturnType<Adapter['startTransaction']>>;

/** The adapter of a module's pool, with its statements prepared. */
export function adapterOf(pool: pg.Pool, schema: string, statements: Statements): PrismaPg {
  return new PrismaPg(pool, {
    schema,
    // No name (an empty one): it is parsed for this once.
    statementNameGenerator: ({ sql }) => statements.nameOf(sql) ?? '',
  });
}

/** A client that is lent to transactions, one after the other. */
interface Lent<P> {
  readonly client: P;
  readonly adapter: LentPg;
}

export class TransactionClients<P> {
  readonly #make: () => Lent<P>;
  readonly #all: Lent<P>[] = [];
  readonly #free: Lent<P>[] = [];

  constructor(pool: pg.Pool, schema: string, statements: Statements, prisma: (adapter: unknown) => P) {
    this.#make = () => {
      const adapter = new LentPg(pool, {
        schema,
        statementNameGenerator: ({ sql }) => statements.nameOf(sql) ?? '',
      });
      const lent = { client: prisma(adapter), adapter };
      this.#all.push(lent);
      return lent;
    };
  }

  /** The one that was given back last knows most queries. */
  lend(transaction: OpenTransaction): { readonly client: P; giveBack(): void } {
    const lent = this.#free.pop() ?? this.#make();
    lent.adapter.transaction = transaction;
    return {
      client: lent.client,
      giveBack: () => {
        lent.adapter.transaction = undefined;
        this.#free.push(lent);
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#all.map(({ client }) =>
        (client as { $disconnect?: () => Promise<void> } | undefined)?.$disconnect?.(),
      ),
    );
  }
}

class LentPg extends PrismaPg {
  transaction: OpenTransaction | undefined;

  override async connect(): Promise<Adapter> {
    const adapter = await super.connect();
    const ours = {
      query: async (statement: pg.QueryConfig) => {
        const { transaction } = this;
        if (!transaction || !isInside(transaction))
          throw new Error('The transaction is over: its `prisma` was used after its work had ended.');
        return transaction.send(statement);
      },
    };
    (adapter as unknown as { client: typeof ours }).client = ours;
    adapter.startTransaction = async () => partOfOurs(adapter, this.transaction);
    return adapter;
  }
}

/**
 * A transaction that Prisma opens by itself (a nested write), within ours: its BEGIN and COMMIT do nothing. It cannot be
 * rolled back alone, so its rollback rolls back the whole of ours, also where the work catches the error.
 */
function partOfOurs(adapter: Adapter, ours: OpenTransaction | undefined): PrismaTransaction {
  const nothing = async () => {};
  return {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    options: { usePhantomQuery: true },
    queryRaw: (query) => adapter.queryRaw(query),
    executeRaw: (query) => adapter.executeRaw(query),
    commit: nothing,
    async rollback() {
      ours?.cannotCommit(new Error('Prisma took back a part of the transaction, and so all of it'));
    },
  } as PrismaTransaction;
}
