// JSON that is dear to look at: many keys, many small lines. What it costs everybody else is how long the event loop
// stands, seen by the pulse.
import { request } from 'undici';
import { countsOf, type Figure, quantileOf } from './figure.ts';
import { takePulse } from './pulse.ts';
import type { Product } from './stage.ts';

const KEYS = 90_000;
const LINES = 500_000;
const AT_ONCE = 20;

export async function abuseByJson(product: Product, say: (line: string) => void): Promise<Figure[]> {
  const token = await product.customer();
  const [productId] = await product.products(1);
  const keys = `{${Array.from({ length: KEYS }, (_, n) => `"a${n}":1`).join(',')}}`;
  const many = (line: string, count: number) =>
    `{"paymentToken":"tok_ok","lines":[${Array(count).fill(line).join(',')}]}`;
  const small = many('0', LINES);
  const longest = many(`{"productId":"${productId}","quantity":1}`, 100);
  const one = async (what: string, path: string, body: string, times: number): Promise<Figure> => {
    const pulse = await takePulse(product.url);
    const statuses = await Promise.all(Array.from({ length: times }, () => post(product, path, token, body)));
    const stood = quantileOf(await pulse.stop(), 1);
    say(`${what}: ${countsOf(statuses)}; the slowest pulse ${stood.toFixed(0)} ms`);
    return { what: `${what}: slowest pulse`, value: stood, unit: 'ms' };
  };
  return [
    await one(`${KEYS.toLocaleString('en')} unknown keys, alone`, '/api/users', keys, 1),
    await one(`${KEYS.toLocaleString('en')} unknown keys, ${AT_ONCE} at once`, '/api/users', keys, AT_ONCE),
    await one(`an order of ${LINES.toLocaleString('en')} small lines, alone`, '/api/orders', small, 1),
    await one('an order of 100 lines, the most that is right, alone', '/api/orders', longest, 1),
  ];
}

/** The status; 0 where the connection ended without an answer. */
async function post({ url }: Product, path: string, token: string, body: string): Promise<number> {
  try {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
    };
    const answer = await request(`${url}${path}`, { method: 'POST', headers, body, headersTimeout: 60_000 });
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    return 0;
  }
}
