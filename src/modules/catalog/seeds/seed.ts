// About 200 products for an empty shop: the same ids, prices and stock wherever and whenever it is seeded,
// so that two hosts that seed at once, or a second boot, add nothing. No event tells of them: they were
// there before anybody could listen.

import { createHash } from 'node:crypto';
import { v7 } from 'uuid';
import type { Sql } from '#banyan';
import { seedPictureIds } from '../../media/contract.ts';
import type { Product } from '../contract.ts';
import { type Make, type Shelf, shelves, type Thing } from './goods.ts';

/** The moment in the ids: before any product that a person adds, so that seeds stand first in the list. */
const seededAt = Date.UTC(2026, 0, 1);

export function seeds(): Product[] {
  const products: Product[] = [];
  for (const shelf of shelves) {
    for (const thing of shelf.things) {
      for (const make of shelf.makes) products.push(productOf(products.length, shelf, thing, make));
    }
  }
  return products;
}

function productOf(index: number, shelf: Shelf, thing: Thing, make: Make): Product {
  const sku = `${shelf.code}-${thing.code}-${make.code}`;
  const random = createHash('sha256').update(sku).digest();
  return {
    id: v7({ msecs: seededAt + index, seq: 0, random: random.subarray(0, 16) }),
    sku,
    name: `${make.name} ${thing.name}`,
    description: `${thing.text} ${make.text} ${shelf.text}`,
    priceCents: Math.round((thing.priceCents * make.percent) / 10_000) * 100 - 10,
    currency: 'EUR',
    stock: 50 + (random.readUInt16BE(16) % 451),
    imageId: seedPictureIds[index % seedPictureIds.length] ?? null,
  };
}

/** One statement, and only where there is no product at all: a shop that sells its own wants none of ours. */
export async function seedProducts(sql: Sql): Promise<void> {
  await sql.query(
    `INSERT INTO products (id, sku, name, description, price_cents, currency, stock, image_id)
     SELECT id, sku, name, description, "priceCents", currency, stock, "imageId"
     FROM jsonb_to_recordset($1::jsonb) AS seed (
       id uuid, sku text, name text, description text,
       "priceCents" bigint, currency text, stock int, "imageId" uuid
     )
     WHERE NOT EXISTS (SELECT FROM products)
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(seeds())],
  );
}
