// What the limits cost those who abuse nothing: reads in the monolith, the same reads once catalog is extracted, and
// orders, each as fast as 32 connections go. More is better; beside another checkout each round is a pair.
import { Pool } from 'undici';
import type { Figure } from './figure.ts';
import type { Product } from './stage.ts';

const SECONDS = 6;
const CONNECTIONS = 32;

interface Asked {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export async function usualWork(product: Product, say: (line: string) => void): Promise<Figure[]> {
  const ids = await product.products(50);
  const tokens = await Promise.all(Array.from({ length: 16 }, () => product.customer()));
  const read = (n: number): Asked => ({
    method: 'GET',
    path: `/api/catalog/products/${ids[n % ids.length]}`,
  });
  // With a query it goes by the proxy; without one it would go along with the calls.
  const proxied = (n: number): Asked => ({
    method: 'GET',
    path: `/api/catalog/products?limit=${1 + (n % 3)}`,
  });
  const order = (n: number): Asked => ({
    method: 'POST',
    path: '/api/orders',
    headers: {
      authorization: `Bearer ${tokens[n % tokens.length]}`,
      'content-type': 'application/json',
      'idempotency-key': `usual-${process.pid}-${n}`,
    },
    body: JSON.stringify({
      lines: [{ productId: ids[n % ids.length], quantity: 1 }],
      paymentToken: 'tok_ok',
    }),
  });
  const near = await rateOf(product, read, 200);
  const orders = await rateOf(product, order, 202);
  await product.extract('catalog');
  const far = await rateOf(product, read, 200);
  const byProxy = await rateOf(product, proxied, 200);
  say(
    `reads ${near.toFixed(0)}/s, far ${far.toFixed(0)}/s, by proxy ${byProxy.toFixed(0)}/s, orders ${orders.toFixed(0)}/s`,
  );
  return [
    { what: 'usual work: reads a second', value: near, unit: '', asBefore: true },
    { what: 'usual work: reads a second, extracted', value: far, unit: '', asBefore: true },
    { what: 'usual work: lists a second, extracted, by the proxy', value: byProxy, unit: '', asBefore: true },
    { what: 'usual work: orders a second', value: orders, unit: '', asBefore: true },
  ];
}

/** Answered a second; the first third warms up. Throws what is not answered as it should be. */
async function rateOf({ url }: Product, next: (n: number) => Asked, expected: number): Promise<number> {
  const pool = new Pool(url, { connections: CONNECTIONS });
  const began = performance.now();
  const warm = began + (SECONDS * 1000) / 3;
  const until = began + SECONDS * 1000;
  let n = 0;
  let answered = 0;
  const worker = async () => {
    for (let now = began; now < until; now = performance.now()) {
      n += 1;
      const { statusCode, body } = await pool.request(next(n));
      await body.dump();
      if (statusCode !== expected) throw new Error(`${next(n).path} was answered ${statusCode}`);
      if (performance.now() > warm) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  await pool.close();
  return answered / ((until - warm) / 1000);
}
