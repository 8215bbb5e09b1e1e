// What can be asked of catalog: read products, add and change them, price an order's lines.
// Every change is written with its event in one transaction. It knows nothing of HTTP, and nothing of
// orders: what their events do to the stock is in reservations.ts.
// Texts are kept, and searched for, in composed form (NFC): an é is found however the keyboard of either side wrote it.
import { v7 } from 'uuid';
import { type PageQuery, pageOf, problem, type Store } from '#banyan';
import type { PrismaClient } from '../../../prisma/catalog/client/client.ts';
import { catalog, type Product } from './contract.ts';
import { compact } from './cursor.ts';
import { isSkuTaken, type Price, type ProductChange, type ProductRepository } from './repository.ts';

export interface ListProducts extends PageQuery {
  readonly q?: string;
}

export type NewProduct = Omit<Product, 'id' | 'imageId'> & { readonly imageId?: string | null };

export class ProductService {
  readonly #store: Store<PrismaClient>;
  readonly #repository: ProductRepository;

  constructor(store: Store<PrismaClient>, repository: ProductRepository) {
    this.#store = store;
    this.#repository = repository;
  }

  list({ q, ...query }: ListProducts) {
    const words = q?.normalize('NFC');
    return pageOf(catalog, query, (after, limit) => this.#repository.after(words, after, limit), compact);
  }

  async get(id: string): Promise<Product> {
    return (await this.#repository.find(id)) ?? unknown(id);
  }

  async price(ids: readonly string[]): Promise<{ items: Price[] }> {
    return { items: await this.#repository.prices(ids) };
  }

  async create(wanted: NewProduct): Promise<Product> {
    const { sku, priceCents, currency, stock, imageId = null } = wanted;
    const { name, description } = composed(wanted);
    const product = { id: v7(), sku, name, description, priceCents, currency, stock, imageId };
    return this.#unlessTaken(sku, () =>
      this.#store.transaction(async (tx) => {
        await this.#repository.insert(tx.prisma, product);
        await tx.publish(catalog.events['product-created'], { productId: product.id, product });
        return product;
      }),
    );
  }

  /** Fields that are not named stay as they are; naming none changes nothing and tells nobody. */
  async change(id: string, fields: ProductChange): Promise<Product> {
    if (Object.values(fields).every((value) => value === undefined)) return this.get(id);
    return this.#unlessTaken(fields.sku, () =>
      this.#store.transaction(async (tx) => {
        const product = (await this.#repository.change(tx.prisma, id, composed(fields))) ?? unknown(id);
        await tx.publish(catalog.events['product-changed'], { productId: product.id, product });
        return product;
      }),
    );
  }

  async #unlessTaken<T>(sku: string | undefined, write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (cause) {
      if (!isSkuTaken(cause)) throw cause;
      const errors = [{ path: '/sku', message: 'is the SKU of another product' }];
      throw problem(catalog, 'sku-taken', { detail: `Choose another SKU than ${sku}.`, errors, cause });
    }
  }
}

/** Canonically equal to what was sent, so that it reads the same; SKUs are ASCII, and nothing else is searched. */
function composed<F extends { readonly name?: string; readonly description?: string }>(fields: F): F {
  const { name, description } = fields;
  return {
    ...fields,
    ...(name !== undefined && { name: name.normalize('NFC') }),
    ...(description !== undefined && { description: description.normalize('NFC') }),
  };
}

function unknown(id: string): never {
  throw problem(catalog, 'product-unknown', { detail: `There is no product ${id}.` });
}
