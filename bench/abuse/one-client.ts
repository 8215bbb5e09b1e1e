// One client that asks as fast as it can, from an address that is not loopback. What counts is how many of its requests
// are served in a second: the general limit is 300.
import { networkInterfaces } from 'node:os';
import { Pool } from 'undici';
import { countsOf, type Figure } from './figure.ts';
import type { Product } from './stage.ts';

const SECONDS = 4;
const CONNECTIONS = 16;

export async function abuseByOneClient(product: Product, say: (line: string) => void): Promise<Figure[]> {
  const address = elsewhere();
  if (address === undefined) {
    say('one client: this machine has no address but loopback, which is exempt');
    return [];
  }
  const { port } = new URL(product.url);
  const pool = new Pool(`http://${address}:${port}`, { connections: CONNECTIONS });
  const until = performance.now() + SECONDS * 1000;
  const statuses: number[] = [];
  const worker = async () => {
    while (performance.now() < until) {
      const { statusCode, body } = await pool.request({
        method: 'GET',
        path: '/api/catalog/products?limit=1',
      });
      await body.dump();
      statuses.push(statusCode);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  await pool.close();
  const served = statuses.filter((status) => status === 200).length / SECONDS;
  say(`one client for ${SECONDS} s: ${countsOf(statuses)}`);
  return [{ what: 'one client as fast as it can: served a second', value: served, unit: '' }];
}

function elsewhere(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((some) => some ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}
