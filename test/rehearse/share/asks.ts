// The ways into a module of which a share of the requests goes elsewhere, and what is seen of an answer: who made it. A
// plain read goes over the link between two hosts, what has a query or a body by the proxy; an order asks catalog by a
// ref, whose side only the counters know.

import { randomUUID } from 'node:crypto';
import type { Ask } from '../../asked.ts';
import type { SharedModule, Side } from './expected.ts';
import type { Key } from './keys.ts';
import type { Entrance, RehearsedShop } from './stage.ts';

export interface Way {
  readonly name: string;
  readonly module: SharedModule;
  /** By which the hosts count it. */
  readonly operation: string;
  readonly right: number;
  readonly ask: (shop: RehearsedShop) => Omit<Ask, 'token'>;
}

export const reading: Way = {
  name: 'catalog read over the link',
  module: 'catalog',
  operation: 'getProduct',
  right: 200,
  ask: ({ product }) => ({ method: 'GET', path: `/api/catalog/products/${product}` }),
};

export const listing: Way = {
  name: 'catalog listed by the proxy',
  module: 'catalog',
  operation: 'listProducts',
  right: 200,
  ask: () => ({ method: 'GET', path: '/api/catalog/products?limit=1' }),
};

export const looking: Way = {
  name: 'orders listed by the proxy',
  module: 'orders',
  operation: 'list',
  right: 200,
  ask: () => ({ method: 'GET', path: '/api/orders?limit=1' }),
};

/** Of customers only. */
export const ordering: Way = {
  name: 'orders placed, which ask catalog by a ref',
  module: 'orders',
  operation: 'place',
  right: 202,
  ask: ({ product }) => ({
    method: 'POST',
    path: '/api/orders',
    headers: { 'idempotency-key': randomUUID() },
    body: { lines: [{ productId: product, quantity: 1 }], paymentToken: 'tok_ok' },
  }),
};

export interface Seen {
  readonly began: number;
  readonly ended: number;
  readonly way: Way;
  readonly key: Key;
  readonly entrance: Entrance;
  /** Undefined: it failed, as `failure` says. */
  readonly side: Side | undefined;
  readonly failure?: string;
}

export async function askBy(shop: RehearsedShop, way: Way, key: Key, entrance: Entrance): Promise<Seen> {
  const ask = way.ask(shop);
  const seen = { began: performance.now(), way, key, entrance };
  try {
    const headers = { ...key.headers, ...ask.headers };
    const answer = await shop.ask(entrance, { ...ask, token: key.token, headers });
    const ended = performance.now();
    const by = String(answer.headers['x-served-by']);
    const side = by.startsWith(`${way.module}-`) ? 'service' : by === 'monolith' ? 'in-process' : undefined;
    if (answer.status === way.right && side) return { ...seen, ended, side };
    const failure = `${answer.status} by ${by}: ${JSON.stringify(answer.body).slice(0, 200)}`;
    return { ...seen, ended, side: undefined, failure };
  } catch (error) {
    return { ...seen, ended: performance.now(), side: undefined, failure: String(error) };
  }
}

/** For people. */
export const inWords = ({ way, key, entrance, side, failure }: Seen) =>
  `${way.name} at ${entrance.name}, ${key.kind} ${key.key}: ${side ?? failure}`;
