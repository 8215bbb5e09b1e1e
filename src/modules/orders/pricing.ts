// What an order costs, from what was wanted and what catalog says of it. Pure: it asks nobody.
// Throws the 422 problems of the contract, each entry of `errors` naming the line that is wrong.
import { type FieldError, problem } from '#banyan';
import { type Order, orders } from './contract.ts';

export interface WantedLine {
  readonly productId: string;
  readonly quantity: number;
}

export interface PricedProduct {
  readonly id: string;
  readonly name: string;
  readonly priceCents: number;
  readonly currency: string;
}

export type Bill = Pick<Order, 'lines' | 'totalCents' | 'currency'>;

/** The most an order may cost: what a charge can carry (`cents` in the contracts). */
const MAX_CENTS = 10_000_000_000;

export function billFor(wanted: readonly WantedLine[], products: readonly PricedProduct[]): Bill {
  const known = new Map(products.map((product) => [product.id.toLowerCase(), product]));
  refuseUnknown(wanted, known);
  const lines: Order['lines'] = [];
  const foreign: FieldError[] = [];
  const { currency } = known.get(wanted[0]!.productId.toLowerCase())!;
  let totalCents = 0;
  for (const [index, { productId, quantity }] of wanted.entries()) {
    const product = known.get(productId.toLowerCase())!;
    if (product.currency !== currency) {
      foreign.push({
        path: `/lines/${index}/productId`,
        message: `is sold in ${product.currency}, the first line in ${currency}`,
      });
    }
    totalCents += product.priceCents * quantity;
    lines.push({ productId: product.id, name: product.name, quantity, unitCents: product.priceCents });
  }
  if (foreign.length > 0) throw problem(orders, 'mixed-currencies', { errors: foreign });
  if (totalCents > MAX_CENTS) {
    throw problem(orders, 'total-too-large', {
      errors: [{ path: '/lines', message: `cost ${totalCents} cents, at most ${MAX_CENTS} can be charged` }],
    });
  }
  return { lines, totalCents, currency };
}

function refuseUnknown(wanted: readonly WantedLine[], known: ReadonlyMap<string, PricedProduct>): void {
  const errors: FieldError[] = [];
  for (const [index, { productId }] of wanted.entries()) {
    if (!known.has(productId.toLowerCase()))
      errors.push({ path: `/lines/${index}/productId`, message: 'is not a product' });
  }
  if (errors.length > 0) throw problem(orders, 'product-unknown', { errors });
}
