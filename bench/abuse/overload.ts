// More than the product can do. Its capacity is measured first, in the same round: orders and reads, 4 to 7, as fast as
// 32 connections go. Then three times as many arrive, whether or not earlier ones are answered. Goodput is what was
// answered well within a second of when it should have left. A round in which the generator itself came late does not
// count: then nobody knows what arrived.

import { Pool } from 'undici';
import { type Generator, startGenerator } from '../../compare/load/generator-process.ts';
import type { LoadResult, Planned } from '../../compare/load/plan.ts';
import { randomOf } from '../../compare/load/random.ts';
import { arrivals } from '../../compare/load/schedule.ts';
import { countsOf, type Figure, quantileOf } from './figure.ts';
import { takePulse } from './pulse.ts';
import type { Product } from './stage.ts';

const SECONDS = 12;
const TIMES = 3;
const ORDERS = 4;
const READS = 7;
const IN_TIME_MS = 1_000;
/** Half of the requests later than this: the generator had no core left. */
const LATE_MS = 50;

interface Work {
  readonly tokens: readonly string[];
  readonly products: readonly string[];
}

export async function abuseByOverload(product: Product, say: (line: string) => void): Promise<Figure[]> {
  const work: Work = {
    tokens: await Promise.all(Array.from({ length: 16 }, () => product.customer())),
    products: await product.products(50),
  };
  const capacity = await capacityOf(product, work);
  say(`capacity: ${capacity.toFixed(0)} requests/s`);
  const generator = await startGenerator(
    { generator: undefined, hosts: undefined, first: false, words: '' },
    { PATH: process.env.PATH },
  );
  try {
    return await overload(product, generator, work, capacity, say);
  } finally {
    await generator.stop();
  }
}

async function overload(
  product: Product,
  generator: Generator,
  work: Work,
  capacity: number,
  say: (line: string) => void,
): Promise<Figure[]> {
  const random = randomOf(7);
  const requests = arrivals(capacity * TIMES, SECONDS * 1000, random).map((atMs, n) =>
    planned(atMs, n, work, random() * (ORDERS + READS) < ORDERS),
  );
  const pulse = await takePulse(product.url, '/health/ready');
  const result = await generator.run({
    url: product.url,
    requests,
    connections: 2_000,
    timeoutMs: 30_000,
    files: {},
  });
  const health = await pulse.stop();
  const late = quantileOf([...result.lateMs], 0.5);
  if (late > LATE_MS) {
    say(`a round that does not count: the generator was ${late.toFixed(0)} ms late`);
    return [];
  }
  say(`${TIMES} times as much: ${countsOf([...result.status])}; generator late by ${late.toFixed(1)} ms`);
  const { good, shed } = sorted(result, requests);
  const goodput = good.length / SECONDS;
  return [
    { what: 'capacity, requests/s', value: capacity, unit: '' },
    {
      what: `goodput at ${TIMES} times capacity beside capacity`,
      value: goodput / capacity,
      unit: 'x',
      goal: { at: 'least', value: 0.8 },
    },
    { what: 'what was served: p99', value: quantileOf(served(result, requests), 0.99), unit: 'ms' },
    { what: 'what was shed: p99', value: quantileOf(shed, 0.99), unit: 'ms' },
    { what: 'without an answer', value: [...result.status].filter((one) => one === 0).length, unit: '' },
    {
      what: '/health/ready, the slowest answer',
      value: quantileOf(health, 1),
      unit: 'ms',
      goal: { at: 'most', value: 200 },
    },
  ];
}

function planned(atMs: number, n: number, { tokens, products }: Work, order: boolean): Planned {
  const productId = products[n % products.length]!;
  if (!order)
    return { atMs, kind: 'read', method: 'GET', path: `/api/catalog/products/${productId}`, expect: 200 };
  return {
    atMs,
    kind: 'order',
    method: 'POST',
    path: '/api/orders',
    headers: headersOf(tokens[n % tokens.length]!, `overload-${process.pid}-${n}`),
    body: orderOf(productId),
    expect: 202,
  };
}

const headersOf = (token: string, key: string) => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
  'idempotency-key': key,
});

const orderOf = (productId: string) =>
  JSON.stringify({ lines: [{ productId, quantity: 1 }], paymentToken: 'tok_ok' });

function served(result: LoadResult, requests: readonly Planned[]): number[] {
  return requests.flatMap(({ expect }, n) => (result.status[n] === expect ? [result.latencyMs[n]!] : []));
}

function sorted(result: LoadResult, requests: readonly Planned[]) {
  return {
    good: served(result, requests).filter((ms) => ms <= IN_TIME_MS),
    shed: requests.flatMap((_, n) => (result.status[n] === 503 ? [result.latencyMs[n]!] : [])),
  };
}

/** Requests answered well a second, in a closed loop; the first third warms up. */
async function capacityOf({ url }: Product, { tokens, products }: Work): Promise<number> {
  const pool = new Pool(url, { connections: 32 });
  const began = performance.now();
  const warm = began + (SECONDS * 1000) / 3;
  const until = began + SECONDS * 1000;
  let answered = 0;
  let n = 0;
  const worker = async () => {
    for (let now = began; now < until; now = performance.now()) {
      n += 1;
      const mine = n;
      const productId = products[mine % products.length]!;
      const order = mine % (ORDERS + READS) < ORDERS;
      const { statusCode, body } = await pool.request(
        order
          ? {
              method: 'POST',
              path: '/api/orders',
              headers: headersOf(tokens[mine % tokens.length]!, `capacity-${process.pid}-${mine}`),
              body: orderOf(productId),
            }
          : { method: 'GET', path: `/api/catalog/products/${productId}` },
      );
      await body.dump();
      if (statusCode === (order ? 202 : 200) && performance.now() > warm) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  await pool.close();
  return answered / ((until - warm) / 1000);
}
